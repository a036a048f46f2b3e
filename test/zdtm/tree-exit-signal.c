/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Children that tell their death by another signal than SIGCHLD, or by none at all.
 */
#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <time.h>

#include "zdtm.h"

static int child(void *unused)
{
	(void)unused;
	zdtm_wait();
	return 3;
}

static pid_t clone_child(int exit_signal)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	/* Memory is copied, so one stack serves all. */
	pid_t pid = clone(child, stack + sizeof(stack), exit_signal, NULL);
	zdtm_assert(pid > 0);
	return pid;
}

static int pending_signal(pid_t pid)
{
	static const struct timespec now;
	sigset_t set;
	siginfo_t info;
	sigfillset(&set);
	int sig = sigtimedwait(&set, &info, &now);
	zdtm_assert(sig < 0 ? errno == EAGAIN : info.si_pid == pid);
	return sig;
}

static void end(pid_t pid)
{
	int status;
	zdtm_assert(!kill(pid, SIGTERM));
	zdtm_assert(waitpid(pid, &status, __WALL) == pid);
	zdtm_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

int main(void)
{
	sigset_t set;
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t by_usr1 = clone_child(SIGUSR1), by_none = clone_child(0), by_rt = clone_child(40);
	zdtm_ready();
	end(by_none);
	zdtm_assert_eq(pending_signal(by_none), -1);
	end(by_usr1);
	zdtm_assert_eq(pending_signal(by_usr1), SIGUSR1);
	end(by_rt);
	zdtm_assert_eq(pending_signal(by_rt), 40);
	zdtm_pass();
}
