/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each thread keeps the set of processors that it may run on.
 */
#include <pthread.h>
#include <sched.h>

#include "zdtm.h"

enum { THREADS = 4 };

static pthread_barrier_t set_up, check;
static cpu_set_t allowed;

/* The processor with this number among the allowed ones, counted round. */
static int allowed_cpu(int number)
{
	number %= CPU_COUNT(&allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && !number--)
			return cpu;
	zdtm_fail("there is no processor");
}

static void *hold(void *arg)
{
	cpu_set_t mine, now;
	CPU_ZERO(&mine);
	CPU_SET(allowed_cpu(*(int *)arg), &mine);
	zdtm_assert(!sched_setaffinity(0, sizeof(mine), &mine));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert(!sched_getaffinity(0, sizeof(now), &now));
	zdtm_assert(CPU_EQUAL(&now, &mine));
	zdtm_assert(CPU_ISSET(sched_getcpu(), &mine));
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	cpu_set_t now;
	zdtm_assert(!sched_getaffinity(0, sizeof(allowed), &allowed));
	if (CPU_COUNT(&allowed) < 2)
		zdtm_skip("one processor is not enough");
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, &numbers[i]));
	}
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	/* The main thread's set was left alone, it has all. */
	zdtm_assert(!sched_getaffinity(0, sizeof(now), &now));
	zdtm_assert(CPU_EQUAL(&now, &allowed));
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
