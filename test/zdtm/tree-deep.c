/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A chain of forty generations, each the only child of the one above.
 */
#include "zdtm.h"

static int generation(void *arg)
{
	int left = *(int *)arg - 1;
	if (!left)
		return zdtm_child_stays(NULL);
	pid_t below = zdtm_spawn(generation, &left);
	zdtm_child_stays(NULL);
	zdtm_join(below);
	return 0;
}

int main(void)
{
	int generations = 40;
	pid_t below = zdtm_spawn(generation, &generations);
	zdtm_ready();
	zdtm_join(below);
	zdtm_pass();
}
