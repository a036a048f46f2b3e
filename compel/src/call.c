/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * System calls in the target, by an instruction that is there and two system call stops.
 *
 * Single steps would need one stop instead of two, but end in a forced SIGTRAP: where the target
 * blocks or ignores that signal the kernel resets its action, and nobody could put it back unseen.
 *
 * What costs is waking a thread and waiting for it. So calls are made in many threads at once: all
 * are woken before the first one is waited for, and by then most of them stand again.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "remote.h"

#define CALL_MADE         1 /* task->ret between stages: the result is there */

#define RECALL_TIMEOUT_MS 1000 /* for a call that was interrupted because it sleeps */

/* Results that never reach a user: the call is to be made again (linux/errno.h of the kernel). */
enum {
	K_ERESTARTSYS = 512,
	K_ERESTARTNOINTR = 513,
	K_ERESTARTNOHAND = 514,
	K_ERESTART_RESTARTBLOCK = 516,
};

static bool is_restart(int64_t val)
{
	return val == -K_ERESTARTSYS || val == -K_ERESTARTNOINTR || val == -K_ERESTARTNOHAND ||
	       val == -K_ERESTART_RESTARTBLOCK;
}

/* See compel_syscall(): calls that overwrite the restart block, or after which nothing returns. */
static const long refused[] = {
	SYS_restart_syscall,
	SYS_rt_sigreturn,
	SYS_clock_nanosleep,
	SYS_exit,
	SYS_exit_group,
	SYS_execve,
	SYS_execveat,
	SYS_clone,
#ifdef SYS_clone3
	SYS_clone3,
#endif
#ifdef SYS_fork
	SYS_fork,
	SYS_vfork,
#endif
#ifdef SYS_sigreturn
	SYS_sigreturn,
#endif
#ifdef SYS_nanosleep
	SYS_nanosleep,
#endif
#ifdef SYS_poll
	SYS_poll,
#endif
#ifdef SYS_futex
	SYS_futex,
#endif
#ifdef SYS_futex_time64
	SYS_futex_time64,
#endif
#ifdef SYS_clock_nanosleep_time64
	SYS_clock_nanosleep_time64,
#endif
};

bool compel_is_refused(long nr)
{
	for (size_t i = 0; i < COMPEL_ARRAY_SIZE(refused); i++) {
		if (refused[i] == nr)
			return true;
	}
	return false;
}

int compel_task_gone(struct compel_task *task, struct compel_error *err)
{
	task->phase = COMPEL_PHASE_GONE;
	return compel_fail(err, -ESRCH, "thread %d was killed during a remote system call",
			   task->tid);
}

int compel_task_lost(struct compel_task *task, int ret)
{
	if (ret == -ESRCH)
		task->phase = COMPEL_PHASE_GONE;
	return ret;
}

int compel_recall(struct compel_task *task, struct compel_error *err)
{
	int status;

	int ret = compel_interrupt(task->tid, err);
	if (ret < 0)
		return compel_task_lost(task, ret);
	ret = compel_wait_status(task->tid, compel_deadline(RECALL_TIMEOUT_MS), &status);
	if (ret == -ETIMEDOUT) {
		task->phase = COMPEL_PHASE_LOST;
		return compel_fail(err, ret,
				   "thread %d hangs inside a remote system call and cannot be "
				   "interrupted",
				   task->tid);
	}
	if (ret < 0 || compel_wait_decode(status).kind == COMPEL_WAIT_DEAD)
		return compel_task_gone(task, err);
	return compel_fail(err, -ETIMEDOUT,
			   "thread %d: a remote system call took more than %d ms and was "
			   "interrupted",
			   task->tid, task->timeout_ms);
}

static int resume(struct compel_task *task, int request, int signo, struct compel_error *err)
{
	const char *name = request == PTRACE_SYSCALL ? "PTRACE_SYSCALL" : "PTRACE_CONT";
	int ret =
		compel_ptrace_named(request, name, task->tid, NULL, (void *)(uintptr_t)signo, err);

	if (ret < 0)
		return compel_task_lost(task, ret);
	task->phase = COMPEL_PHASE_CALL;
	return 0;
}

int compel_run_begin(struct compel_task *task, struct compel_error *err)
{
	task->deadline = compel_deadline(task->timeout_ms);
	return resume(task, PTRACE_SYSCALL, 0, err);
}

int compel_run_on(struct compel_task *task, int request, const struct compel_wait *wait,
		  struct compel_error *err)
{
	switch (wait->kind) {
	case COMPEL_WAIT_EVENT:
	case COMPEL_WAIT_GROUP: return resume(task, request, 0, err);
	case COMPEL_WAIT_SIGNAL:
		if (wait->signo != SIGSTOP)
			return compel_fail(err, -EFAULT,
					   "thread %d: the system call at 0x%llx raised signal %d",
					   task->tid, (unsigned long long)task->insn, wait->signo);
		return resume(task, request, SIGSTOP, err);
	default: return compel_task_gone(task, err); /* PTRACE_EVENT_EXIT: it is being killed */
	}
}

int compel_run_end(struct compel_task *task, struct compel_error *err)
{
	for (;;) {
		int status;
		int ret = compel_wait_status(task->tid, task->deadline, &status);

		if (ret == -ETIMEDOUT)
			return compel_recall(task, err);
		if (ret < 0)
			return compel_task_gone(task, err);

		struct compel_wait wait = compel_wait_decode(status);

		if (wait.kind == COMPEL_WAIT_SYSCALL)
			return 0;
		ret = compel_run_on(task, PTRACE_SYSCALL, &wait, err);
		if (ret < 0)
			return ret;
	}
}

int compel_run_stages(struct compel_task *const *tasks, size_t nr, compel_stage *const *stages,
		      struct compel_error *err)
{
	int first = 0;

	for (; *stages; stages++) {
		for (size_t i = 0; i < nr; i++) {
			if (tasks[i]->ret != 0)
				continue;
			tasks[i]->ret = (*stages)(tasks[i], first ? NULL : err);
			if (tasks[i]->ret < 0 && first == 0)
				first = tasks[i]->ret;
		}
	}
	return first;
}

/* The end of the instruction that starts at @pc (address and tag). */
static uint64_t insn_end(uint64_t pc)
{
	for (size_t i = 0; i < compel_arch.nr_insns; i++) {
		const struct compel_insn *insn = &compel_arch.insns[i];

		if ((pc & (insn->align - 1U)) == insn->tag)
			return pc + insn->size;
	}
	return pc;
}

/* ---- The stages of a call ---- */

static int call_check(struct compel_task *task, struct compel_error *err)
{
	if (task->call.nr == COMPEL_NO_CALL)
		return CALL_MADE;
	if (task->phase > COMPEL_PHASE_CALL)
		return compel_fail(err, -ESRCH, "thread %d: system call %ld after it was lost",
				   task->tid, task->call.nr);
	if (compel_is_refused(task->call.nr))
		return compel_fail(err, -EINVAL,
				   "thread %d: system call %ld cannot be made in a borrowed thread",
				   task->tid, task->call.nr);
	return 0;
}

static int call_enter(struct compel_task *task, struct compel_error *err)
{
	struct compel_regs regs = task->regs;

	compel_arch.set_call(&regs, task->insn, task->call.nr, task->call.args);
	int ret = compel_enter(task, &regs, ~0ULL, err);
	return ret < 0 ? ret : compel_run_begin(task, err);
}

static int call_leave(struct compel_task *task, struct compel_error *err)
{
	int ret = compel_run_end(task, err);

	return ret < 0 ? ret : compel_run_begin(task, err);
}

static int call_take_result(struct compel_task *task, struct compel_error *err)
{
	struct compel_regs regs;
	int ret = compel_run_end(task, err);

	if (ret < 0)
		return ret;
	ret = compel_regs_get(task->tid, &regs, err);
	if (ret < 0)
		return compel_task_lost(task, ret);
	if (compel_arch.pc(&regs) != insn_end(task->insn))
		return compel_fail(err, -EFAULT,
				   "thread %d: stopped at 0x%llx instead of behind the system call "
				   "instruction at 0x%llx",
				   task->tid, (unsigned long long)compel_arch.pc(&regs),
				   (unsigned long long)task->insn);
	task->call.val = compel_arch.result(&regs);
	if (!is_restart(task->call.val))
		return CALL_MADE;
	if (compel_deadline(0) >= task->give_up)
		return compel_fail(err, -ETIMEDOUT,
				   "thread %d: system call %ld is interrupted over and over",
				   task->tid, task->call.nr);
	return 0;
}

static bool is_unmade(struct compel_task *const *tasks, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (tasks[i]->ret == 0)
			return true;
	return false;
}

int compel_syscall_many(struct compel_task *const *tasks, size_t nr, struct compel_error *err)
{
	static compel_stage *const stages[] = {
		call_check, call_enter, call_leave, call_take_result, NULL,
	};
	int first = 0;

	for (size_t i = 0; i < nr; i++) {
		tasks[i]->ret = 0;
		tasks[i]->give_up = compel_deadline(tasks[i]->timeout_ms);
	}
	while (is_unmade(tasks, nr)) {
		int ret = compel_run_stages(tasks, nr, stages, first ? NULL : err);

		first = first ? first : ret;
	}
	for (size_t i = 0; i < nr; i++)
		tasks[i]->ret = tasks[i]->ret == CALL_MADE ? 0 : tasks[i]->ret;
	return first;
}

int compel_syscall(struct compel_task *task, long nr, const uint64_t args[6], int64_t *ret_val,
		   struct compel_error *err)
{
	task->call = (struct compel_call){ .nr = nr };
	memcpy(task->call.args, args, sizeof(task->call.args));
	int ret = compel_syscall_many(&task, 1, err);
	if (ret == 0)
		*ret_val = task->call.val;
	return ret;
}
