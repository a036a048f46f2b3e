/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Orphans that were given to a subreaper inside the tree are its children after the restore too.
 */
#include <sys/prctl.h>
#include <unistd.h>

#include "zdtm.h"

static void do_nothing(void)
{
}

static int reaper(void *unused)
{
	(void)unused;
	zdtm_assert(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t orphans[3], child = zdtm_spawn(zdtm_child_stays, NULL);
	for (int i = 0; i < 3; i++)
		orphans[i] = zdtm_spawn_orphan(do_nothing, zdtm_child_stays, NULL);
	zdtm_child_wait();
	zdtm_join(child);
	for (int i = 0; i < 3; i++)
		zdtm_join(orphans[i]);
	return 0;
}

int main(void)
{
	zdtm_assert(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t inner = zdtm_spawn(reaper, NULL);
	pid_t orphan = zdtm_spawn_orphan(do_nothing, zdtm_child_stays, NULL);
	zdtm_ready();
	zdtm_join(orphan);
	zdtm_join(inner);
	zdtm_pass();
}
