/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each thread keeps its nice value, also those that are batch or idle.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include "zdtm.h"

static const struct niceness {
	int nice;
	int policy;
} nices[] = {
	{ 7, SCHED_OTHER }, { -9, SCHED_OTHER }, { 19, SCHED_OTHER },
	{ 3, SCHED_BATCH }, { -4, SCHED_IDLE },  { 0, SCHED_OTHER },
};
enum { THREADS = sizeof(nices) / sizeof(*nices) };

static pthread_barrier_t set_up, check;

static void *hold(void *arg)
{
	const struct niceness *niceness = arg;
	struct sched_param param = { 0 };
	zdtm_assert(!sched_setscheduler(0, niceness->policy, &param));
	if (setpriority(PRIO_PROCESS, 0, niceness->nice))
		zdtm_skip("setpriority to %d: %m", niceness->nice);
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	errno = 0;
	zdtm_assert_eq(getpriority(PRIO_PROCESS, 0), niceness->nice);
	zdtm_assert_eq(errno, 0);
	zdtm_assert_eq(sched_getscheduler(0), niceness->policy);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, (void *)&nices[i]));
	zdtm_assert(!setpriority(PRIO_PROCESS, 0, 5));
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	zdtm_assert_eq(getpriority(PRIO_PROCESS, 0), 5);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
