/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The working directory, with blanks in its name, and another one in a child.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zdtm.h"

static void enter(const char *name, char *ret_path)
{
	zdtm_assert(!mkdir(name, 0755) && !chdir(name));
	zdtm_assert(open("here", O_CREAT | O_WRONLY | O_CLOEXEC, 0644) >= 0);
	zdtm_assert(getcwd(ret_path, PATH_MAX));
}

static void check(const char *path)
{
	char now[PATH_MAX];
	zdtm_assert(getcwd(now, sizeof(now)));
	if (strcmp(now, path))
		zdtm_fail("the working directory is '%s', not '%s'", now, path);
	zdtm_assert(!access("here", F_OK));
}

static int child(void *unused)
{
	char path[PATH_MAX];
	(void)unused;
	enter("below\\ it\n", path);
	zdtm_child_wait();
	check(path);
	return 0;
}

int main(void)
{
	char path[PATH_MAX];
	enter("a place", path);
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_ready();
	check(path);
	zdtm_join(pid);
	zdtm_pass();
}
