/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child subreaper is one after the restore too, and its child is none; orphans come to it.
 */
#include <sys/prctl.h>

#include "zdtm.h"

static void check(int value)
{
	int now = -1;
	zdtm_assert(!prctl(PR_GET_CHILD_SUBREAPER, &now));
	zdtm_assert_eq(now, value);
}

static int child(void *unused)
{
	(void)unused;
	zdtm_child_wait();
	check(0);
	return 0;
}

static void do_nothing(void)
{
}

int main(void)
{
	zdtm_assert(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_ready();
	check(1);
	/* This waits for the orphan as our child, which it is only when it has come to us. */
	zdtm_join(zdtm_spawn_orphan(do_nothing, zdtm_child_stays, NULL));
	zdtm_join(pid);
	zdtm_pass();
}
