/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lowered limits of a process of another user than root, which only CAP_SYS_RESOURCE may change
 * from outside.
 */
#include <sys/resource.h>
#include <unistd.h>

#include "zdtm.h"

int main(void)
{
	struct rlimit limit = { .rlim_cur = 40, .rlim_max = 50 }, now;
	zdtm_assert(!setrlimit(RLIMIT_NOFILE, &limit));
	if (setresgid(30001, 30001, 30001) || setresuid(30001, 30001, 30001))
		zdtm_skip("cannot become another user: %m");
	zdtm_ready();
	zdtm_assert(!getrlimit(RLIMIT_NOFILE, &now));
	zdtm_assert_eq(now.rlim_cur, limit.rlim_cur);
	zdtm_assert_eq(now.rlim_max, limit.rlim_max);
	zdtm_assert_eq(getuid(), 30001);
	zdtm_pass();
}
