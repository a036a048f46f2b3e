/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that got their filters all at once (SECCOMP_FILTER_FLAG_TSYNC), one of which has another
 * above it. The kernel does that only while what they have is one and the same, so it is asked for
 * once more. The process has dropped its privileges but one thread.
 */
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "zdtm.h"

enum { THREADS = 3 };

static pthread_barrier_t begin, set_up, tell, check;

static void check_filters(int own)
{
	filter_check(SYS_sched_rr_get_interval, 501);
	filter_check(SYS_sched_get_priority_max, 502);
	filter_check(SYS_sched_get_priority_min, own);
	filter_check(SYS_getpriority, 504);
}

/* The one that stays privileged adds filters: its own before, one for all after. */
static void *hold(void *arg)
{
	const int *privileged = arg;
	pthread_barrier_wait(&begin);
	if (*privileged)
		filter_add(SYS_sched_get_priority_min, 503, 0);
	else
		zdtm_assert(!syscall(SYS_setresuid, 30001, 30001, 30001));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&tell);
	if (*privileged)
		filter_add(SYS_getpriority, 504, SECCOMP_FILTER_FLAG_TSYNC);
	pthread_barrier_wait(&check);
	/* what one thread had was given to all */
	check_filters(503);
	return NULL;
}

int main(void)
{
	static int privileged[THREADS] = { 0, 1, 0 };
	pthread_t threads[THREADS];
	pthread_barrier_init(&begin, NULL, THREADS + 1);
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&tell, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	filter_add(SYS_sched_rr_get_interval, 501, 0);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, &privileged[i]));
	filter_add(SYS_sched_get_priority_max, 502, SECCOMP_FILTER_FLAG_TSYNC);
	pthread_barrier_wait(&begin);
	pthread_barrier_wait(&set_up);
	zdtm_assert(!syscall(SYS_setresuid, 30001, 30001, 30001));
	zdtm_ready();
	filter_check(SYS_sched_get_priority_max, 502);
	filter_check(SYS_sched_get_priority_min, 0);
	pthread_barrier_wait(&tell);
	pthread_barrier_wait(&check);
	check_filters(503);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
