/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each thread keeps its scheduling policy, its priority and the flag that children do not get them.
 */
#include <pthread.h>
#include <sched.h>

#include "zdtm.h"

static const struct schedule {
	int policy;
	int priority;
} schedules[] = {
	{ SCHED_OTHER, 0 },
	{ SCHED_FIFO, 11 },
	{ SCHED_RR, 22 },
	{ SCHED_BATCH, 0 },
	{ SCHED_IDLE, 0 },
	{ SCHED_FIFO | SCHED_RESET_ON_FORK, 3 },
	{ SCHED_OTHER | SCHED_RESET_ON_FORK, 0 },
};
enum { THREADS = sizeof(schedules) / sizeof(*schedules) };

static pthread_barrier_t set_up, check;

static void *hold(void *arg)
{
	const struct schedule *schedule = arg;
	struct sched_param param = { .sched_priority = schedule->priority };
	if (sched_setscheduler(0, schedule->policy, &param))
		zdtm_skip("sched_setscheduler to policy %#x: %m", (unsigned int)schedule->policy);
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert_eq(sched_getscheduler(0), schedule->policy);
	zdtm_assert(!sched_getparam(0, &param));
	zdtm_assert_eq(param.sched_priority, schedule->priority);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, (void *)&schedules[i]));
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
