/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A POSIX timer's signal that is pending stays pending, and after it has been taken the timer goes
 * on and tells how often it went off without being heard.
 */
/* varies: ShdPnd */
#include "ktimer.h"
#include "zdtm.h"

enum { PERIOD_MS = 10, MISSED = 20 };

static siginfo_t take(int sig)
{
	struct timespec wait = { .tv_sec = 10 };
	sigset_t set;
	siginfo_t info;
	sigemptyset(&set);
	sigaddset(&set, sig);
	if (sigtimedwait(&set, &info, &wait) != sig)
		zdtm_fail("signal %d does not come", sig);
	return info;
}

int main(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = SIGRTMIN + 5,
				  .sigev_value.sival_int = 55 };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, event.sigev_signo);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &set, NULL));
	int id = ktimer_create(CLOCK_MONOTONIC, &event);
	zdtm_assert(id >= 0);
	ktimer_set(id, PERIOD_MS, PERIOD_MS);
	zdtm_sleep_ms(MISSED * PERIOD_MS);
	zdtm_ready();

	siginfo_t info = take(event.sigev_signo);
	zdtm_assert_eq(info.si_code, SI_TIMER);
	zdtm_assert_eq(info.si_timerid, id);
	zdtm_assert_eq(info.si_value.sival_int, 55);
	for (int i = 0; i < 3; i++) {
		zdtm_sleep_ms(MISSED * PERIOD_MS);
		take(event.sigev_signo);
		int overrun = ktimer_overrun(id);
		zdtm_assert(overrun >= MISSED - 5 && overrun < 100 * MISSED);
	}
	ktimer_set(id, 0, 0);
	zdtm_pass();
}
