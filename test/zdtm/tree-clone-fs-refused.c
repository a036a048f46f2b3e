/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child that shares its working directory with its parent is refused in words, and still does.
 */
/* refused: shares its working directory (CLONE_FS) with task */
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

int main(void)
{
	char path[4096];
	int status;
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL);
	zdtm_assert(pid >= 0);
	if (pid == 0) {
		zdtm_wait();
		_exit(chdir("/"));
	}

	zdtm_ready();

	zdtm_hold_result();
	zdtm_assert(!kill(pid, SIGTERM));
	zdtm_assert(waitpid(pid, &status, 0) == pid && status == 0);
	zdtm_assert(getcwd(path, sizeof(path)) && path[0] == '/' && !path[1]);
	zdtm_pass();
}
