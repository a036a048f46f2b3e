/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A deleted working directory, below another deleted one, and an open descriptor of a deleted
 * directory: they are there, empty, and can hold nothing new; their names do not come back.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

static int home;

static int child(void *arg)
{
	(void)arg;
	char path[PATH_MAX];
	zdtm_assert(!fchdir(home) && !mkdir("childs", 0755) && !chdir("childs"));
	zdtm_assert(!rmdir("../childs"));
	zdtm_child_wait();
	zdtm_assert(!getcwd(path, sizeof(path)) && errno == ENOENT);
	return 0;
}

int main(void)
{
	char path[PATH_MAX];
	home = fd_open(".", O_RDONLY | O_DIRECTORY);
	zdtm_assert(!mkdir("outer", 0755) && !mkdir("outer/inner", 0750) && !mkdir("open", 0700));
	int dir = fd_open("open", O_RDONLY | O_DIRECTORY);
	zdtm_assert(!rmdir("open") && !chdir("outer/inner"));
	zdtm_assert(!rmdir("../inner"));
	zdtm_assert(!unlinkat(home, "outer", AT_REMOVEDIR));
	pid_t pid = zdtm_spawn(child, NULL);
	struct fd_state state = fd_state_take(dir);
	struct stat before, now;
	zdtm_assert(!stat(".", &before));

	zdtm_ready();

	zdtm_assert(!getcwd(path, sizeof(path)) && errno == ENOENT);
	zdtm_assert(!stat(".", &now));
	zdtm_assert_eq(now.st_mode, before.st_mode);
	zdtm_assert_eq(now.st_nlink, 0);
	zdtm_assert(open("new", O_WRONLY | O_CREAT, 0644) < 0 && errno == ENOENT);
	fd_state_check(&state);
	zdtm_assert(openat(dir, "new", O_WRONLY | O_CREAT, 0644) < 0 && errno == ENOENT);
	zdtm_assert(faccessat(home, "outer", F_OK, 0) && faccessat(home, "open", F_OK, 0));
	zdtm_assert(!fchdir(home));
	zdtm_join(pid);
	zdtm_assert(access("childs", F_OK));
	zdtm_pass();
}
