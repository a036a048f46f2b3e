/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A parent that ignores SIGCHLD has no zombies, before the dump and after the restore.
 */
#include <errno.h>
#include <sys/wait.h>

#include "zdtm.h"

int main(void)
{
	zdtm_assert(signal(SIGCHLD, SIG_IGN) == SIG_DFL);
	pid_t old = zdtm_spawn(zdtm_child_stays, NULL);
	zdtm_ready();
	pid_t young = zdtm_spawn(zdtm_child_stays, NULL);
	zdtm_assert(!kill(old, SIGTERM) && !kill(young, SIGTERM));
	/* It waits for both, and then there is none to tell of. */
	zdtm_assert(waitpid(-1, NULL, 0) == -1);
	zdtm_assert_eq(errno, ECHILD);
	/* The kernel says so a moment before it takes the last one out of /proc; zombies stay there. */
	zdtm_await_state(old, 0);
	zdtm_await_state(young, 0);
	zdtm_pass();
}
