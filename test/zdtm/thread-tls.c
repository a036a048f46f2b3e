/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each thread keeps its thread-local variables, at their addresses, and its pthread identity.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "zdtm.h"

enum { THREADS = 8 };

static __thread uint64_t zeroed;
static __thread uint64_t initialised = 0x1122334455667788;
static pthread_barrier_t set_up, check;

static void *hold(void *arg)
{
	uint64_t number = (uint64_t)(uintptr_t)arg;
	pthread_t self = pthread_self();
	volatile uint64_t *address = &zeroed;
	zeroed = number;
	initialised += number;
	errno = (int)number + 1000;
	pid_t tid = gettid();
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert_eq(errno, number + 1000);
	zdtm_assert(address == &zeroed && pthread_equal(self, pthread_self()));
	zdtm_assert_eq(*address, number);
	zdtm_assert_eq(initialised, 0x1122334455667788 + number);
	zdtm_assert_eq(gettid(), tid);
	return arg;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (uintptr_t i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, (void *)(i + 1)));
	zeroed = 77;
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	zdtm_assert_eq(zeroed, 77);
	pthread_barrier_wait(&check);
	for (uintptr_t i = 0; i < THREADS; i++) {
		void *result;
		zdtm_assert(!pthread_join(threads[i], &result) && result == (void *)(i + 1));
	}
	zdtm_pass();
}
