/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filter of an unprivileged process without no_new_privs, which kills for all that a restore does
 * in it: changing credentials, mapping memory, waiting for others.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"
#include "zdtm.h"

static int child(void *unused)
{
	static const int allowed[] = {
#ifdef SYS_setresuid32
		SYS_setresuid32,
#endif
		SYS_setresuid,       SYS_rt_sigtimedwait, SYS_rt_sigreturn,
		SYS_restart_syscall, SYS_write,           SYS_exit,
		SYS_exit_group,      SYS_close,
	};
	(void)unused;
	filter_allow_only(allowed, sizeof(allowed) / sizeof(*allowed));
	if (setresuid(30001, 30001, 30001))
		zdtm_fail("setresuid: %m");
	zdtm_child_wait();
	syscall(SYS_getppid); /* kills */
	return 0;
}

int main(void)
{
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_ready();
	int status;
	char uid[64];
	zdtm_assert(waitpid(pid, &status, WNOHANG) == 0);
	zdtm_status(pid, "Uid", uid, sizeof(uid));
	zdtm_assert(uid[0] == '3');
	zdtm_assert(!kill(pid, SIGTERM) && waitpid(pid, &status, 0) == pid);
	zdtm_assert(WIFSIGNALED(status));
	zdtm_assert_eq(WTERMSIG(status), SIGSYS);
	zdtm_pass();
}
