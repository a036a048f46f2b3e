/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The real interval timer goes on with what was left of its time, comes, and comes again.
 */
#include <sys/time.h>
#include <unistd.h>

#include "zdtm.h"

enum { FIRST_S = 1000, NEAR_S = 2, INTERVAL_MS = 100 };

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	(void)sig;
	alarms++;
}

/* One timer far off, of which the rest of the time can be looked at. */
static int far_off(void *unused)
{
	struct itimerval timer = { .it_value.tv_sec = FIRST_S, .it_interval.tv_sec = 77 }, now;
	(void)unused;
	zdtm_assert(!setitimer(ITIMER_REAL, &timer, NULL));
	zdtm_child_wait();
	zdtm_assert(!getitimer(ITIMER_REAL, &now));
	zdtm_assert_eq(now.it_interval.tv_sec, 77);
	zdtm_assert(now.it_value.tv_sec < FIRST_S && now.it_value.tv_sec > FIRST_S - 200);
	return 0;
}

int main(void)
{
	struct itimerval timer = { .it_value.tv_sec = NEAR_S,
				   .it_interval.tv_usec = INTERVAL_MS * 1000 };
	zdtm_assert(signal(SIGALRM, on_alarm) == SIG_DFL);
	pid_t child = zdtm_spawn(far_off, NULL);
	zdtm_assert(!setitimer(ITIMER_REAL, &timer, NULL));
	zdtm_ready();
	zdtm_join(child);
	uint64_t until = zdtm_now_ms() + 15000;
	while (alarms < 4 && zdtm_now_ms() < until)
		zdtm_sleep_ms(10);
	zdtm_assert(alarms >= 4);
	zdtm_pass();
}
