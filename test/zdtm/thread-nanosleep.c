/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A nanosleep() that is dumped half-way sleeps its time and returns 0.
 */
#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	struct timespec left, time = timeout_timespec(ms);
	zdtm_assert_eq(nanosleep(&time, &left), 0);
}

int main(void)
{
	timeout_test(wait_for);
}
