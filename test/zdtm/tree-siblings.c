/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eighty children of one parent, some of them gone before the dump, so that pids have gaps.
 */
#include "zdtm.h"

enum { CHILDREN = 80 };

int main(void)
{
	pid_t pids[CHILDREN];
	for (int i = 0; i < CHILDREN; i++)
		pids[i] = zdtm_spawn(zdtm_child_stays, NULL);
	for (int i = 0; i < CHILDREN; i += 5)
		zdtm_join(pids[i]);
	zdtm_ready();
	for (int i = 0; i < CHILDREN; i++)
		if (i % 5)
			zdtm_join(pids[i]);
	zdtm_pass();
}
