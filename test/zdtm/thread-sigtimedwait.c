/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sigtimedwait() that is dumped half-way ends with EAGAIN, or EINTR, as it does after SIGCONT,
 * and then waits for the rest.
 */
#include <errno.h>

#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &set, NULL));
	uint64_t until = zdtm_now_ms() + ms;
	do {
		uint64_t now = zdtm_now_ms();
		struct timespec time =
			timeout_timespec(now < until ? (unsigned int)(until - now) : 0);
		zdtm_assert(sigtimedwait(&set, NULL, &time) < 0);
	} while (errno == EINTR);
	zdtm_assert_eq(errno, EAGAIN);
}

int main(void)
{
	timeout_test(wait_for);
}
