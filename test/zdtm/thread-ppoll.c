/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ppoll() with a time-out and another signal mask: after it the old mask is there again.
 */
#include <poll.h>

#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	sigset_t before, meanwhile, after;
	sigemptyset(&before);
	sigaddset(&before, SIGTERM);
	sigaddset(&before, SIGUSR1);
	sigfillset(&meanwhile);
	zdtm_assert(!sigprocmask(SIG_SETMASK, &before, NULL));
	struct timespec time = timeout_timespec(ms);
	zdtm_assert_eq(ppoll(NULL, 0, &time, &meanwhile), 0);
	zdtm_assert(!sigprocmask(SIG_SETMASK, NULL, &after));
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		zdtm_assert_eq(sigismember(&after, sig), sigismember(&before, sig));
}

int main(void)
{
	timeout_test(wait_for);
}
