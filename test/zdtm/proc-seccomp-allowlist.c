/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A seccomp filter that kills for any system call but a few: the dump itself must not do one in the
 * program's name, and after the restore it kills.
 */
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"
#include "zdtm.h"

static int child(void *unused)
{
	static const int allowed[] = {
		SYS_rt_sigtimedwait, SYS_rt_sigreturn, SYS_restart_syscall, SYS_write, SYS_exit,
		SYS_exit_group,      SYS_close,
	};
	(void)unused;
	filter_allow_only(allowed, sizeof(allowed) / sizeof(*allowed));
	zdtm_child_wait();
	syscall(SYS_getppid); /* kills */
	return 0;
}

int main(void)
{
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_ready();
	int status;
	zdtm_assert(waitpid(pid, &status, WNOHANG) == 0); /* alive still */
	zdtm_assert(!kill(pid, SIGTERM) && waitpid(pid, &status, 0) == pid);
	zdtm_assert(WIFSIGNALED(status));
	zdtm_assert_eq(WTERMSIG(status), SIGSYS);
	zdtm_pass();
}
