/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/self/exe leads to the program's file.
 */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reexec.h"
#include "zdtm.h"

extern char **environ;

static void exe(char *path, struct stat *st)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	zdtm_assert(n > 0 && !stat("/proc/self/exe", st));
	path[n] = 0;
}

int main(int argc, char **argv)
{
	(void)argc;
	if (!reexec_is_copy())
		reexec_copy("my own (copy)", argv, environ);
	char before[PATH_MAX], now[PATH_MAX];
	struct stat st_before, st_now;
	exe(before, &st_before);
	zdtm_assert(strstr(before, "/my own (copy)"));
	zdtm_ready();
	exe(now, &st_now);
	if (strcmp(now, before))
		zdtm_fail("/proc/self/exe is '%s', not '%s'", now, before);
	zdtm_assert(st_now.st_ino == st_before.st_ino && st_now.st_dev == st_before.st_dev);
	zdtm_pass();
}
