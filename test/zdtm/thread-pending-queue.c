/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real-time signals that were queued many times come as often, in their order, with their values.
 */
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "zdtm.h"

enum { TIMES = 20 };

static int take(siginfo_t *info)
{
	static const struct timespec now;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 1);
	sigaddset(&set, SIGRTMIN + 3);
	sigaddset(&set, SIGRTMAX);
	return sigtimedwait(&set, info, &now);
}

int main(void)
{
	const int signals[] = { SIGRTMAX, SIGRTMIN + 1, SIGRTMIN + 3 };
	const int order[] = { SIGRTMIN + 1, SIGRTMIN + 3, SIGRTMAX }; /* lower numbers first */
	sigset_t all;
	sigfillset(&all);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &all, NULL));
	for (int i = 0; i < TIMES; i++)
		for (int k = 0; k < 3; k++)
			zdtm_assert(!sigqueue(getpid(), signals[k],
					      (union sigval){ signals[k] * 1000 + i }));
	zdtm_ready();
	siginfo_t info;
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < TIMES; i++) {
			zdtm_assert_eq(take(&info), order[k]);
			zdtm_assert_eq(info.si_code, SI_QUEUE);
			zdtm_assert_eq(info.si_value.sival_int, order[k] * 1000 + i);
		}
	zdtm_assert(take(&info) < 0 && errno == EAGAIN);
	zdtm_pass();
}
