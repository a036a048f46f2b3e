/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child that its parent traces cannot be traced by crib: a dump is refused in words, and the
 * tracer still has its tracee.
 */
/* refused: trace */
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "zdtm.h"

int main(void)
{
	pid_t pid = zdtm_spawn(zdtm_child_stays, NULL);
	zdtm_assert(!ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_EXITKILL));
	zdtm_ready();
	int status;
	zdtm_assert(!ptrace(PTRACE_INTERRUPT, pid, NULL, NULL));
	zdtm_assert(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	zdtm_assert(!ptrace(PTRACE_DETACH, pid, NULL, NULL));
	zdtm_join(pid);
	zdtm_pass();
}
