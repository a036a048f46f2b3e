/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * no_new_privs stays set in the process that has set it, and its sibling stays without.
 */
#include <sys/prctl.h>

#include "zdtm.h"

static int child(void *arg)
{
	int value = *(int *)arg;
	if (value)
		zdtm_assert(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	zdtm_child_wait();
	zdtm_assert_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), value);
	return 0;
}

int main(void)
{
	int values[] = { 0, 1 };
	pid_t without = zdtm_spawn(child, &values[0]), with = zdtm_spawn(child, &values[1]);
	zdtm_ready();
	zdtm_join(without);
	zdtm_join(with);
	zdtm_pass();
}
