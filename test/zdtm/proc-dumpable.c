/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that is not dumpable stays so, and its child stays dumpable.
 */
#include <sys/prctl.h>

#include "zdtm.h"

static int child(void *unused)
{
	(void)unused;
	zdtm_assert(!prctl(PR_SET_DUMPABLE, 1));
	zdtm_child_wait();
	zdtm_assert_eq(prctl(PR_GET_DUMPABLE), 1);
	return 0;
}

int main(void)
{
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_assert(!prctl(PR_SET_DUMPABLE, 0));
	zdtm_ready();
	zdtm_assert_eq(prctl(PR_GET_DUMPABLE), 0);
	zdtm_join(pid);
	zdtm_pass();
}
