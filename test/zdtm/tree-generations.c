/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Children and grandchildren keep their pids and their parents.
 */
#include "zdtm.h"

static int middle(void *unused)
{
	pid_t below[2] = { zdtm_spawn(zdtm_child_stays, NULL), zdtm_spawn(zdtm_child_stays, NULL) };
	zdtm_child_stays(unused);
	zdtm_join(below[1]);
	zdtm_join(below[0]);
	return 0;
}

int main(void)
{
	pid_t children[3];
	for (int i = 0; i < 3; i++)
		children[i] = zdtm_spawn(i < 2 ? middle : zdtm_child_stays, NULL);
	zdtm_ready();
	for (int i = 0; i < 3; i++)
		zdtm_join(children[i]);
	zdtm_pass();
}
