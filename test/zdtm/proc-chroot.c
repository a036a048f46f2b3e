/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Another root directory, and a working directory below it.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zdtm.h"

int main(void)
{
	struct stat before, now;
	char path[PATH_MAX];
	zdtm_assert(!mkdir("top", 0755) && !mkdir("top/sub", 0755));
	zdtm_assert(open("top/mark", O_CREAT | O_WRONLY | O_CLOEXEC, 0644) >= 0);
	zdtm_hold_result();
	if (chroot("top"))
		zdtm_skip("chroot: %m");
	zdtm_assert(!chdir("/sub") && !stat("/", &before));
	zdtm_ready();
	zdtm_assert(!access("/mark", F_OK) && !stat("/", &now));
	zdtm_assert(now.st_ino == before.st_ino && now.st_dev == before.st_dev);
	zdtm_assert(getcwd(path, sizeof(path)));
	if (strcmp(path, "/sub"))
		zdtm_fail("the working directory is '%s'", path);
	zdtm_assert(!access("../../../mark", F_OK));
	zdtm_pass();
}
