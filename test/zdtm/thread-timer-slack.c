/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each thread keeps its timer slack.
 */
#include <pthread.h>
#include <sys/prctl.h>

#include "zdtm.h"

enum { THREADS = 3, SLACK_NS = 123456 };

static pthread_barrier_t set_up, check;

static void *hold(void *arg)
{
	unsigned long slack = SLACK_NS * (unsigned long)(*(int *)arg + 1);
	zdtm_assert(!prctl(PR_SET_TIMERSLACK, slack));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert_eq(prctl(PR_GET_TIMERSLACK), slack);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, &numbers[i]));
	}
	zdtm_assert(!prctl(PR_SET_TIMERSLACK, 777777));
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	zdtm_assert_eq(prctl(PR_GET_TIMERSLACK), 777777);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
