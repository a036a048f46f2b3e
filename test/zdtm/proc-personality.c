/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The personality: no randomised addresses, a foreign version of the kernel, of one child alone.
 */
#include <sys/personality.h>

#include "zdtm.h"

enum { MINE = PER_LINUX | ADDR_NO_RANDOMIZE, CHILDS = PER_LINUX | UNAME26 | STICKY_TIMEOUTS };

#define QUERY 0xffffffff

static int child(void *unused)
{
	(void)unused;
	zdtm_assert(personality(CHILDS) >= 0);
	zdtm_child_wait();
	zdtm_assert_eq(personality(QUERY), CHILDS);
	return 0;
}

int main(void)
{
	zdtm_assert(personality(MINE) >= 0);
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_ready();
	zdtm_assert_eq(personality(QUERY), MINE);
	zdtm_join(pid);
	zdtm_pass();
}
