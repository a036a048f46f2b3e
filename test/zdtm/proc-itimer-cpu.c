/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual and the profiling timer count processor time: they stand still while the process is
 * away, and go off when it has computed for the rest of their time.
 */
#include <sys/time.h>

#include "zdtm.h"

static volatile sig_atomic_t virtual_alarms, profile_alarms;

static void on_alarm(int sig)
{
	if (sig == SIGVTALRM)
		virtual_alarms++;
	else
		profile_alarms++;
}

static void check_timer(int which, int seconds, int interval_us)
{
	struct itimerval now;
	zdtm_assert(!getitimer(which, &now));
	zdtm_assert_eq(now.it_interval.tv_usec, interval_us);
	/* Set a moment ago in processor time; rounded up by a tick. */
	double left = (double)now.it_value.tv_sec + (double)now.it_value.tv_usec / 1e6;
	if (left > seconds + 0.05 || left < seconds - 0.5)
		zdtm_fail("%f seconds are left of timer %d, not %d", left, which, seconds);
}

static void compute_until(const volatile sig_atomic_t *alarms)
{
	uint64_t until = zdtm_now_ms() + 20000;
	while (*alarms < 2)
		if (zdtm_now_ms() > until)
			zdtm_fail("no alarm after 20 seconds");
}

int main(void)
{
	struct itimerval timer = { .it_value.tv_sec = 1, .it_interval.tv_usec = 10000 };
	zdtm_assert(signal(SIGVTALRM, on_alarm) == SIG_DFL);
	zdtm_assert(signal(SIGPROF, on_alarm) == SIG_DFL);
	zdtm_assert(!setitimer(ITIMER_VIRTUAL, &timer, NULL));
	timer.it_value.tv_sec = 2;
	timer.it_interval.tv_usec = 20000;
	zdtm_assert(!setitimer(ITIMER_PROF, &timer, NULL));
	zdtm_sleep_ms(50);
	zdtm_ready();
	check_timer(ITIMER_VIRTUAL, 1, 10000);
	check_timer(ITIMER_PROF, 2, 20000);
	/* It has been seen that the rest is right; now it need not take two seconds. */
	timer.it_value = (struct timeval){ .tv_usec = 100000 };
	zdtm_assert(!setitimer(ITIMER_PROF, &timer, NULL));
	compute_until(&virtual_alarms);
	compute_until(&profile_alarms);
	zdtm_pass();
}
