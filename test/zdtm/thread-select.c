/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A select() with a time-out that is dumped half-way returns 0 and clears its sets.
 */
#include <sys/select.h>
#include <unistd.h>

#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	int ends[2];
	zdtm_assert(!pipe(ends));
	fd_set set;
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	struct timeval time = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	zdtm_assert_eq(select(ends[0] + 1, &set, NULL, NULL, &time), 0);
	zdtm_assert(!FD_ISSET(ends[0], &set));
}

int main(void)
{
	timeout_test(wait_for);
}
