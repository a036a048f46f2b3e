/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that ask the C library for the time before and after, which goes by the vdso that the
 * program was started with: on another kernel, too, it has to agree with what the kernel says.
 */
#include <pthread.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "zdtm.h"

enum { NR_THREADS = 3, NR_TURNS = 200 };

static const clockid_t clocks[NR_THREADS] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned int waiting;
static bool go_on;

static double seconds(const struct timespec *t)
{
	return (double)t->tv_sec + (double)t->tv_nsec / 1e9;
}

/* The library's answer lies between two of the kernel's. */
static void check_clock(clockid_t clock)
{
	struct timespec first, second, third;

	zdtm_assert(!syscall(SYS_clock_gettime, clock, &first));
	zdtm_assert(!clock_gettime(clock, &second));
	zdtm_assert(!syscall(SYS_clock_gettime, clock, &third));
	if (seconds(&second) < seconds(&first) - 1e-3 || seconds(&second) > seconds(&third) + 1e-3)
		zdtm_fail("clock %d is %f in the library, %f to %f in the kernel", (int)clock,
			  seconds(&second), seconds(&first), seconds(&third));
}

/* Nobody is inside the vdso when it waits: code of another kernel cannot be gone on with. */
static void *ask(void *clock)
{
	for (int i = 0; i < NR_TURNS; i++)
		check_clock(*(const clockid_t *)clock);
	pthread_mutex_lock(&lock);
	waiting++;
	pthread_cond_broadcast(&changed);
	while (!go_on)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < NR_TURNS; i++)
		check_clock(*(const clockid_t *)clock);
	return NULL;
}

int main(void)
{
	pthread_t threads[NR_THREADS];

	for (size_t i = 0; i < NR_THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, ask, (void *)&clocks[i]));
	pthread_mutex_lock(&lock);
	while (waiting < NR_THREADS)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);

	zdtm_ready();

	pthread_mutex_lock(&lock);
	go_on = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < NR_THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
