/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filters of a process that was privileged when it added them and is not any more: without
 * no_new_privs it could not add them again.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "zdtm.h"

static int child(void *unused)
{
	(void)unused;
	zdtm_child_wait();
	zdtm_assert_eq(getuid(), 30001);
	filter_check(SYS_sched_rr_get_interval, 501);
	filter_check(SYS_sched_get_priority_max, 502);
	return 0;
}

int main(void)
{
	filter_add(SYS_sched_rr_get_interval, 501, 0);
	filter_add(SYS_sched_get_priority_max, 502, 0);
	if (setresgid(30011, 30011, 30011) || setresuid(30001, 30001, 30001))
		zdtm_skip("setresuid: %m");
	pid_t old = zdtm_spawn(child, NULL);
	zdtm_ready();
	zdtm_assert_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	zdtm_assert_eq(getuid(), 30001);
	zdtm_assert_eq(geteuid(), 30001);
	filter_check(SYS_sched_rr_get_interval, 501);
	filter_check(SYS_sched_get_priority_max, 502);
	filter_check(SYS_sched_get_priority_min, 0);
	/* it has no right to add one */
	zdtm_assert(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) && errno != ENOSYS);
	zdtm_join(old);
	zdtm_join(zdtm_spawn(child, NULL));
	zdtm_pass();
}
