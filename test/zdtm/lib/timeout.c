/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The main thread waits in the system call, a second one says when the dump may begin.
 */
#include "timeout.h"

#include <pthread.h>
#include <unistd.h>

#include "zdtm.h"

enum {
	WHOLE_MS = 3000,
	HALF_MS = WHOLE_MS / 2,
	EARLY_MS = 5,   /* clocks are not read at the same time */
	LATE_MS = 1200, /* for a busy machine; less than HALF_MS, else nothing could be told */
};

/* A restore may make CLOCK_MONOTONIC go on where it was at the dump; the time of day does not wait.
 */
static uint64_t day_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void *tell_ready(void *arg)
{
	uint64_t *ready_ms = arg;
	zdtm_sleep_ms(HALF_MS);
	*ready_ms = zdtm_now_ms();
	zdtm_ready();
	return NULL;
}

_Noreturn void timeout_test(void (*call)(unsigned int ms))
{
	pthread_t thread;
	uint64_t ready_ms, start_ms = day_ms();
	zdtm_assert(!pthread_create(&thread, NULL, tell_ready, &ready_ms));
	call(WHOLE_MS);
	uint64_t took_ms = day_ms() - start_ms, end_ms = zdtm_now_ms();
	zdtm_assert(!pthread_join(thread, NULL));

	if (took_ms + EARLY_MS < WHOLE_MS)
		zdtm_fail("waited %d ms of %d", (int)took_ms, WHOLE_MS);
	/* Born again when it was restored, or never dead. */
	uint64_t again_ms = zdtm_born_ms(getpid());
	if (again_ms < ready_ms)
		again_ms = ready_ms;
	uint64_t after_ms = end_ms > again_ms ? end_ms - again_ms : 0;
	if (after_ms > HALF_MS + LATE_MS)
		zdtm_fail("%d ms after the restore it still waited, with %d ms left at the dump",
			  (int)after_ms, HALF_MS);
	zdtm_pass();
}

struct timespec timeout_timespec(unsigned int ms)
{
	return (struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
}

struct timespec timeout_at(int clock, unsigned int ms)
{
	struct timespec at, left = timeout_timespec(ms);
	clock_gettime(clock, &at);
	at.tv_sec += left.tv_sec;
	at.tv_nsec += left.tv_nsec;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}
