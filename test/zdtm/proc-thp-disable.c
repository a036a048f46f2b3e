/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The switch that turns transparent huge pages off for one process.
 */
#include <sys/prctl.h>

#include "zdtm.h"

static int child(void *arg)
{
	unsigned long off = *(unsigned long *)arg;
	zdtm_assert(!prctl(PR_SET_THP_DISABLE, off, 0, 0, 0));
	zdtm_child_wait();
	zdtm_assert_eq(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), off);
	return 0;
}

int main(void)
{
	unsigned long values[] = { 0, 1 };
	pid_t on = zdtm_spawn(child, &values[0]), off = zdtm_spawn(child, &values[1]);
	zdtm_ready();
	zdtm_join(on);
	zdtm_join(off);
	zdtm_pass();
}
