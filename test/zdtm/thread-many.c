/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sixty-four threads, and gaps in their numbers where others have ended before the dump.
 */
#include <pthread.h>
#include <unistd.h>

#include "zdtm.h"

enum { THREADS = 64, STACK = 64 * 1024 };

static pthread_barrier_t set_up, check;

static void *end_at_once(void *arg)
{
	return arg;
}

static void *hold(void *arg)
{
	volatile uint64_t on_stack[64];
	pid_t tid = gettid();
	for (unsigned int i = 0; i < 64; i++)
		on_stack[i] = (uint64_t)tid * i;
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert_eq(gettid(), tid);
	for (unsigned int i = 0; i < 64; i++)
		zdtm_assert_eq(on_stack[i], (uint64_t)tid * i);
	return arg;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	zdtm_assert(!pthread_attr_setstacksize(&attr, STACK));
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		pthread_t gap;
		zdtm_assert(!pthread_create(&threads[i], &attr, hold, NULL));
		if (i % 3)
			continue;
		zdtm_assert(!pthread_create(&gap, &attr, end_at_once, NULL));
		zdtm_assert(!pthread_join(gap, NULL));
	}
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
