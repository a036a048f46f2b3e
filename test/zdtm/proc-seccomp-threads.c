/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads of one process with different seccomp filters, and one without any.
 */
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "filter.h"
#include "zdtm.h"

static const int calls[] = { SYS_sched_rr_get_interval, SYS_sched_get_priority_max,
			     SYS_sched_get_priority_min };
enum { THREADS = sizeof(calls) / sizeof(*calls) };

static pthread_barrier_t set_up, check;

static void *hold(void *arg)
{
	const int *call = arg;
	int number = (int)(call - calls);
	filter_add(*call, 510 + number, 0);
	if (number == 2)
		filter_add(SYS_getpriority, 520, 0);
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		filter_check(calls[i], i == number ? 510 + number : 0);
	filter_check(SYS_getpriority, number == 2 ? 520 : 0);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, (void *)&calls[i]));
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	zdtm_assert_eq(prctl(PR_GET_SECCOMP), 0);
	for (int i = 0; i < THREADS; i++)
		filter_check(calls[i], 0);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
