/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A clock_nanosleep() until a point of time ends then, or when it is restored later than that.
 */
#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	struct timespec at = timeout_at(CLOCK_REALTIME, ms);
	zdtm_assert_eq(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL), 0);
}

int main(void)
{
	timeout_test(wait_for);
}
