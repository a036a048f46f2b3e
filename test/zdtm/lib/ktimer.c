/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * POSIX timers by system calls.
 */
#include "ktimer.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

/* The 64-bit forms, where there are two. */
#ifdef SYS_timer_settime64
#define SETTIME SYS_timer_settime64
#define GETTIME SYS_timer_gettime64
#else
#define SETTIME SYS_timer_settime
#define GETTIME SYS_timer_gettime
#endif

/* struct itimerspec of the kernel, whatever time_t is. */
struct ktimer_spec {
	int64_t interval_s, interval_ns, first_s, first_ns;
};

int ktimer_create(int clock, const struct sigevent *event)
{
	int id = -1;
	return syscall(SYS_timer_create, clock, event, &id) ? -1 : id;
}

void ktimer_delete(int id)
{
	zdtm_assert(!syscall(SYS_timer_delete, id));
}

int ktimer_overrun(int id)
{
	long overrun = syscall(SYS_timer_getoverrun, id);
	zdtm_assert(overrun >= 0);
	return (int)overrun;
}

void ktimer_set(int id, unsigned int first_ms, unsigned int interval_ms)
{
	struct ktimer_spec spec = {
		.interval_s = interval_ms / 1000,
		.interval_ns = (int64_t)(interval_ms % 1000) * 1000000,
		.first_s = first_ms / 1000,
		.first_ns = (int64_t)(first_ms % 1000) * 1000000,
	};
	zdtm_assert(!syscall(SETTIME, id, 0, &spec, NULL));
}

struct ktimer_left ktimer_get(int id)
{
	struct ktimer_spec spec;
	if (syscall(GETTIME, id, &spec))
		zdtm_fail("timer %d: %m", id);
	return (struct ktimer_left){
		.first_ms = spec.first_s * 1000 + spec.first_ns / 1000000,
		.interval_ms = spec.interval_s * 1000 + spec.interval_ns / 1000000,
	};
}

int ktimer_exists(int id)
{
	struct ktimer_spec spec;
	return !syscall(GETTIME, id, &spec);
}
