// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps that make the tree: clone3 with set_tid, sessions, groups, helpers and zombies.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "restore/context.h"
#include "restore/describe.h"
#include "target/procstat.h"

/* How long a dead process may take to be reaped, as one that was just dumped. */
enum { REAP_PATIENCE_MS = 5000 };

/* The call that needs a struct whose size says how much of it the kernel knows. */
static pid_t clone_with_pid(pid_t pid, uint64_t flags, uint64_t exit_signal)
{
	struct clone_args args = {
		.flags = flags,
		.exit_signal = flags & CLONE_PARENT ? 0 : exit_signal,
		.set_tid = pid ? (uintptr_t)&pid : 0,
		.set_tid_size = pid ? 1 : 0,
	};
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* True when the number is only kept by a zombie, or free again. */
static bool is_dying(pid_t pid)
{
	struct procstat stat;
	int ret = procstat_read(pid, pid, &stat, NULL);

	return ret == -ESRCH || (ret == 0 && procstat_dead(&stat));
}

static int fork_task(struct restore *restore, struct task *task, uint64_t flags, struct err *err)
{
	const TaskCoreEntry *tc = task->threads.v[0].core ? task->threads.v[0].core->tc : NULL;
	uint64_t exit_signal = tc && tc->has_exit_signal ? tc->exit_signal : SIGCHLD;
	pid_t pid;

	for (int ms = 0;; ms++) {
		pid = clone_with_pid(task->pid, flags, exit_signal);
		int failed = pid < 0 ? errno : 0;
		if (failed == EEXIST && ms < REAP_PATIENCE_MS && is_dying(task->pid)) {
			usleep(1000);
			continue;
		}
		if (failed)
			return describe_clone_failure(task->pid, failed, err);
		break;
	}
	if (pid == 0)
		actor_main(restore, task);
	status_set_alive(restore->status, task->index);
	return 0;
}

/* A table that two processes have is shared from birth, so the forker has to be one of them. */
static int table_flag(const struct birth *birth, const struct task *task, uint64_t *ret_flag,
		      struct err *err)
{
	if (!task->fdt || task->fdt->owner == task)
		return 0;
	if (!birth->forker || birth->orphaned || birth->forker->fdt != task->fdt)
		return err_set(err, -ENOTSUP,
			       "task %d shares its descriptor table with task %d, "
			       "which does not fork it: not supported",
			       task->pid, task->fdt->owner->pid);
	*ret_flag = CLONE_FILES;
	return 0;
}

/*
 * Born in somebody else's session: the go-between exits at once, and the kernel gives the child to
 * the nearest ancestor that is a subreaper, which is its parent in the image.
 */
static int fork_orphan(struct restore *restore, struct task *task, struct err *err)
{
	int status;
	pid_t between = clone_with_pid(0, 0, SIGCHLD);

	if (between < 0)
		return err_sys(err, "fork the go-between for task %d", task->pid);
	if (between == 0) {
		struct err inner = ERR_INIT;
		int ret = fork_task(restore, task, 0, &inner);

		if (ret < 0)
			status_fail(restore->status, task->index, &inner);
		_exit(ret < 0);
	}
	if (waitpid(between, &status, 0) < 0)
		return err_sys(err, "wait for the go-between of task %d", task->pid);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_set(err, -ECHILD, "the go-between of task %d failed", task->pid);
	return 0;
}

int step_fork(void *ctx, const struct step *step, struct err *err)
{
	struct restore *restore = ((struct actor *)ctx)->restore;
	struct task *task = (struct task *)step->obj;
	const struct birth *birth = &restore->genealogy.births[task->index];

	uint64_t flags = !birth->forker && restore->opts->restore_sibling ? CLONE_PARENT : 0;
	int ret = table_flag(birth, task, &flags, err);

	if (ret < 0)
		return ret;
	return birth->orphaned ? fork_orphan(restore, task, err) :
				 fork_task(restore, task, flags, err);
}

int step_setsid(void *ctx, const struct step *step, struct err *err)
{
	return setsid() < 0 ? err_sys(err, "setsid") : 0;
}

int step_take_terminal(void *ctx, const struct step *step, struct err *err)
{
	const struct task *task = step->obj;

	return fd_take_terminal(&((struct actor *)ctx)->restore->snap, task->pid, err);
}

int step_foreground(void *ctx, const struct step *step, struct err *err)
{
	const struct task *task = step->obj;

	return fd_set_foreground(&((struct actor *)ctx)->restore->snap, task->pid, err);
}

int step_subreaper(void *ctx, const struct step *step, struct err *err)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) ? err_sys(err, "become a subreaper") : 0;
}

int step_setpgid(void *ctx, const struct step *step, struct err *err)
{
	const struct task *task = step->obj;

	return setpgid(0, task->pgid) ? err_sys(err, "setpgid to group %d", task->pgid) : 0;
}

int step_helper_exit(void *ctx, const struct step *step, struct err *err)
{
	status_done(((struct actor *)ctx)->restore->status, step);
	_exit(0);
}

int step_helper_reap(void *ctx, const struct step *step, struct err *err)
{
	const struct task *helper = step->obj;

	return waitpid(helper->pid, NULL, 0) < 0 ? err_sys(err, "wait for helper %d", helper->pid) :
						   0;
}

/* Ends as the task did. A core dump that it left is not written again. */
int step_zombie_exit(void *ctx, const struct step *step, struct err *err)
{
	const struct task *task = step->obj;
	int status = (int)task->threads.v[0].core->tc->exit_code;
	const struct rlimit no_core = { 0 };
	sigset_t none;

	prctl(PR_SET_NAME, task->threads.v[0].core->tc->comm);
	status_done(((struct actor *)ctx)->restore->status, step);
	if (WIFSIGNALED(status)) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(WTERMSIG(status), SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		kill(getpid(), WTERMSIG(status));
	}
	_exit(WEXITSTATUS(status));
}

/*
 * Waits until the dead children are zombies, and drops the SIGCHLD that they sent: the one that
 * the task still has to get, if any, is in its image. Ignoring a signal discards it.
 */
int step_zombies_settle(void *ctx, const struct step *step, struct err *err)
{
	const struct task *task = step->obj;
	siginfo_t info;

	for (size_t i = 0; i < task->children.n; i++) {
		const struct task *child = task->children.v[i];

		if (child->state != TASK_STATE_DEAD)
			continue;
		if (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT | __WALL))
			return err_sys(err, "wait for zombie %d", child->pid);
	}
	signal(SIGCHLD, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	return 0;
}
