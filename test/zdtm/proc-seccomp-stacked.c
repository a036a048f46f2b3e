/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Four seccomp filters, one above the other, without no_new_privs; where two filter the same call
 * the later one counts. A child has three of them from its parent and one of its own.
 */
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "zdtm.h"

static int child(void *unused)
{
	(void)unused;
	filter_add(SYS_getpriority, 504, 0);
	zdtm_child_wait();
	filter_check(SYS_sched_rr_get_interval, 502);
	filter_check(SYS_sched_get_priority_max, 501);
	filter_check(SYS_getpriority, 504);
	filter_check(SYS_sched_get_priority_min, 0);
	return 0;
}

int main(void)
{
	filter_add(SYS_sched_rr_get_interval, 500, 0);
	filter_add(SYS_sched_get_priority_max, 501, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	filter_add(SYS_sched_rr_get_interval, 502, SECCOMP_FILTER_FLAG_LOG);
	pid_t pid = zdtm_spawn(child, NULL);
	filter_add(SYS_sched_get_priority_min, 503, 0);
	zdtm_ready();
	char filters[16];
	zdtm_status(getpid(), "Seccomp_filters", filters, sizeof(filters));
	zdtm_assert(filters[0] == '4' && !filters[1]);
	zdtm_assert_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	filter_check(SYS_sched_rr_get_interval, 502);
	filter_check(SYS_sched_get_priority_max, 501);
	filter_check(SYS_sched_get_priority_min, 503);
	filter_check(SYS_getpriority, 0);
	zdtm_join(pid);
	zdtm_pass();
}
