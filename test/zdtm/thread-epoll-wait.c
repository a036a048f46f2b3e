/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An epoll_wait() with a time-out that is dumped half-way returns 0 when its time is over, or
 * EINTR, as it does after SIGCONT, and then waits for the rest.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	int ends[2], epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	zdtm_assert(epoll >= 0 && !pipe(ends));
	zdtm_assert(!epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
	uint64_t until = zdtm_now_ms() + ms;
	int n;
	do {
		uint64_t now = zdtm_now_ms();
		n = epoll_wait(epoll, &event, 1, now < until ? (int)(until - now) : 0);
	} while (n < 0 && errno == EINTR);
	zdtm_assert_eq(n, 0);
}

int main(void)
{
	timeout_test(wait_for);
}
