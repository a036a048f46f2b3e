/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The umask, another one in a child.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "zdtm.h"

static int child(void *unused)
{
	(void)unused;
	umask(0351);
	zdtm_child_wait();
	zdtm_assert_eq(umask(0), 0351);
	return 0;
}

int main(void)
{
	struct stat st;
	umask(0137);
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_ready();
	zdtm_assert(open("made", O_CREAT | O_WRONLY | O_CLOEXEC, 0777) >= 0);
	zdtm_assert(!stat("made", &st));
	zdtm_assert_eq(st.st_mode & 0777, 0640);
	zdtm_assert_eq(umask(0), 0137);
	zdtm_join(pid);
	zdtm_pass();
}
