/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A seccomp filter filters after the restore too, and children that are made then inherit it.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "filter.h"
#include "zdtm.h"

static int child(void *unused)
{
	(void)unused;
	zdtm_child_wait();
	filter_check(SYS_sched_rr_get_interval, 501);
	return 0;
}

int main(void)
{
	zdtm_assert(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	filter_add(SYS_sched_rr_get_interval, 501, 0);
	pid_t old = zdtm_spawn(child, NULL);
	zdtm_ready();
	zdtm_assert_eq(prctl(PR_GET_SECCOMP), 2);
	filter_check(SYS_sched_rr_get_interval, 501);
	filter_check(SYS_sched_get_priority_max, 0);
	zdtm_join(zdtm_spawn(child, NULL));
	zdtm_join(old);
	zdtm_pass();
}
