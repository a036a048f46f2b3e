/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel clears the word of clear_child_tid when a restored thread ends, and wakes who joins
 * it.
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>

#include "zdtm.h"

enum { THREADS = 4 };

static pthread_barrier_t set_up, end;

/* The address of the word, NULL when the kernel does not tell it. */
static void *tid_address(void)
{
	void *address = NULL;
	return prctl(PR_GET_TID_ADDRESS, &address) ? NULL : address;
}

static void *hold(void *arg)
{
	void *address = tid_address();
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&end);
	zdtm_assert(tid_address() == address);
	/* The one that joins first waits, the others find it done. */
	zdtm_sleep_ms(100);
	return arg;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, &set_up));
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	pthread_barrier_wait(&end);
	for (int i = 0; i < THREADS; i++) {
		struct timespec until;
		void *result;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 15;
		zdtm_assert_eq(pthread_timedjoin_np(threads[i], &result, &until), 0);
		zdtm_assert(result == &set_up);
	}
	zdtm_pass();
}
