/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A timer of the C library that starts a thread each time (SIGEV_THREAD) goes on doing so.
 */
/* varies: threads Threads fds maps ShdPnd */
#include <time.h>

#include "zdtm.h"

enum { PERIOD_MS = 50 };

static volatile int calls;

static void on_timer(union sigval value)
{
	__atomic_add_fetch(&calls, value.sival_int, __ATOMIC_SEQ_CST);
}

int main(void)
{
	timer_t timer;
	struct sigevent event = { .sigev_notify = SIGEV_THREAD,
				  .sigev_notify_function = on_timer,
				  .sigev_value.sival_int = 3 };
	struct itimerspec spec = { .it_value.tv_nsec = PERIOD_MS * 1000000,
				   .it_interval.tv_nsec = PERIOD_MS * 1000000 };
	zdtm_assert(!timer_create(CLOCK_MONOTONIC, &event, &timer));
	zdtm_assert(!timer_settime(timer, 0, &spec, NULL));
	while (!calls)
		zdtm_sleep_ms(10);
	zdtm_ready();
	int before = calls;
	uint64_t until = zdtm_now_ms() + 15000;
	while (calls < before + 9)
		if (zdtm_now_ms() > until)
			zdtm_fail("no more threads are started");
		else
			zdtm_sleep_ms(10);
	zdtm_assert(!timer_delete(timer));
	zdtm_pass();
}
