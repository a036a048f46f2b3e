/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A futex wait with a time-out that is dumped half-way ends with ETIMEDOUT.
 */
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "timeout.h"
#include "zdtm.h"

static void wait_for(unsigned int ms)
{
	static int word = 7;
	struct timespec time = timeout_timespec(ms);
	long ret = syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 7, &time);
	zdtm_assert(ret == -1 && errno == ETIMEDOUT);
}

int main(void)
{
	timeout_test(wait_for);
}
