/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When a POSIX timer's signal that was pending at the dump is taken, the timer tells how often it
 * went off meanwhile, the times before the dump among them. Until then the count is in the kernel
 * alone, where only BPF sees it.
 */
/* varies: ShdPnd */
/* engine: bpf */
#include "ktimer.h"
#include "zdtm.h"

enum { PERIOD_MS = 10, BEFORE_MS = 500, AT_LEAST = BEFORE_MS / PERIOD_MS - 2 };

static void take(int sig)
{
	struct timespec wait = { .tv_sec = 10 };
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	if (sigtimedwait(&set, NULL, &wait) != sig)
		zdtm_fail("signal %d does not come", sig);
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
	zdtm_sleep_ms(BEFORE_MS);
	zdtm_ready();

	take(event.sigev_signo);
	int overrun = ktimer_overrun(id);
	if (overrun < AT_LEAST)
		zdtm_fail("%d overruns are told, and there were %d before the dump", overrun,
			  AT_LEAST);
	zdtm_pass();
}
