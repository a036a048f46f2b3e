/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A task in a namespace of its own is refused in words, and stays in it.
 */
/* refused: in another uts namespace than crib */
#include <sched.h>
#include <sys/stat.h>

#include "zdtm.h"

int main(void)
{
	struct stat before, after;
	if (unshare(CLONE_NEWUTS))
		zdtm_skip("no namespace of one's own: %m");
	zdtm_assert(!stat("/proc/self/ns/uts", &before));

	zdtm_ready();

	zdtm_assert(!stat("/proc/self/ns/uts", &after) && after.st_ino == before.st_ino);
	zdtm_pass();
}
