/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parent of a child that was stopped by SIGTSTP, and not waited for, learns that signal.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

static int child(void *unused)
{
	(void)unused;
	/* In a group whose parent is outside it, SIGTSTP stops: the group is no orphan. */
	zdtm_assert(!setpgid(0, 0));
	zdtm_child_ready();
	raise(SIGTSTP);
	zdtm_wait();
	return 0;
}

int main(void)
{
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_await_state(pid, 'T');
	zdtm_ready();
	int status;
	zdtm_assert(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	zdtm_assert_eq(WSTOPSIG(status), SIGTSTP);
	zdtm_assert(!kill(pid, SIGCONT));
	zdtm_join(pid);
	zdtm_pass();
}
