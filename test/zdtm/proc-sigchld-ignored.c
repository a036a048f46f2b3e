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
	zdtm_assert(!zdtm_task_state(old) && !zdtm_task_state(young));
	zdtm_pass();
}
