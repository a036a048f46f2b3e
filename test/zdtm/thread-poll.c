/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A poll() with a time-out that is dumped half-way returns 0 when its time is over.
 */
#include <poll.h>
#include <unistd.h>

#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	int ends[2];
	zdtm_assert(!pipe(ends));
	struct pollfd fd = { .fd = ends[0], .events = POLLIN };
	zdtm_assert_eq(poll(&fd, 1, (int)ms), 0);
	zdtm_assert_eq(fd.revents, 0);
}

int main(void)
{
	timeout_test(wait_for);
}
