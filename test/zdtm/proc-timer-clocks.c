/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * POSIX timers of every clock keep what is left of their time, their interval and their value.
 */
#include "ktimer.h"
#include "zdtm.h"

enum { FIRST_MS = 900000, INTERVAL_MS = 70000 };

static const struct clock {
	const char *name;
	int clock;
	bool optional;
} clocks[] = {
	{ "REALTIME", CLOCK_REALTIME, false },
	{ "MONOTONIC", CLOCK_MONOTONIC, false },
	{ "BOOTTIME", CLOCK_BOOTTIME, false },
	{ "TAI", CLOCK_TAI, true },
	{ "REALTIME_ALARM", CLOCK_REALTIME_ALARM, true }, /* need a clock that wakes the machine */
	{ "BOOTTIME_ALARM", CLOCK_BOOTTIME_ALARM, true },
	{ "PROCESS_CPUTIME", CLOCK_PROCESS_CPUTIME_ID, false },
	{ "THREAD_CPUTIME", CLOCK_THREAD_CPUTIME_ID, false },
};
enum { CLOCKS = sizeof(clocks) / sizeof(*clocks) };

static bool counts_cpu_time(const struct clock *clock)
{
	return clock->clock == CLOCK_PROCESS_CPUTIME_ID || clock->clock == CLOCK_THREAD_CPUTIME_ID;
}

/* Lets the timer go off now and looks at what comes. */
static void check_signal(int id, int number)
{
	struct timespec wait = { .tv_sec = 10 };
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + number);
	ktimer_set(id, 1, 0);
	if (counts_cpu_time(&clocks[number]))
		for (uint64_t until = zdtm_now_ms() + 100; zdtm_now_ms() < until;)
			;
	if (sigtimedwait(&set, &info, &wait) != SIGRTMIN + number)
		zdtm_fail("%s: no signal comes", clocks[number].name);
	zdtm_assert_eq(info.si_code, SI_TIMER);
	zdtm_assert_eq(info.si_timerid, id);
	zdtm_assert_eq(info.si_value.sival_int, 1000 + number);
}

int main(void)
{
	int ids[CLOCKS];
	sigset_t all;
	sigfillset(&all);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &all, NULL));
	for (int i = 0; i < CLOCKS; i++) {
		struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
					  .sigev_signo = SIGRTMIN + i,
					  .sigev_value.sival_int = 1000 + i };
		ids[i] = ktimer_create(clocks[i].clock, &event);
		if (ids[i] < 0 && !clocks[i].optional)
			zdtm_fail("%s: timer_create: %m", clocks[i].name);
		if (ids[i] >= 0)
			ktimer_set(ids[i], FIRST_MS + 1000 * i, INTERVAL_MS + i);
	}
	zdtm_ready();
	for (int i = 0; i < CLOCKS; i++) {
		if (ids[i] < 0)
			continue;
		struct ktimer_left left = ktimer_get(ids[i]);
		zdtm_assert_eq(left.interval_ms, INTERVAL_MS + i);
		long long first_ms = FIRST_MS + 1000 * i;
		long long passed_ms = counts_cpu_time(&clocks[i]) ? 5000 : 200000;
		if (left.first_ms > first_ms || left.first_ms < first_ms - passed_ms)
			zdtm_fail("%s: %lld ms are left of %lld", clocks[i].name, left.first_ms,
				  first_ms);
		check_signal(ids[i], i);
	}
	zdtm_pass();
}
