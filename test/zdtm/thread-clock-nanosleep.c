/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A clock_nanosleep() of a length, on the clock that counts suspended time too.
 */
#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	struct timespec left, time = timeout_timespec(ms);
	zdtm_assert_eq(clock_nanosleep(CLOCK_BOOTTIME, 0, &time, &left), 0);
}

int main(void)
{
	timeout_test(wait_for);
}
