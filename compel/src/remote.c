/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * System calls in the target, by an instruction that is there and two system call stops.
 *
 * Single steps would need one stop instead of two, but end in a forced SIGTRAP: where the target
 * blocks or ignores that signal the kernel resets its action, and nobody could put it back unseen.
 *
 * An interrupted call of the target survives because the registers are put back in an event-stop,
 * which lies inside the kernel's signal handling: when it ends the kernel delivers what is pending
 * and restarts the call as if the thread had only been stopped. arch.h says where it differs.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "internal.h"

#define DEFAULT_TIMEOUT_MS 10000
#define RECALL_TIMEOUT_MS  1000 /* for a call that was interrupted because it sleeps */

/* Where a borrowed thread stands. */
enum {
	PHASE_EVENT, /* in an event-stop, with the kernel's restart decision still to come */
	PHASE_CALL,  /* in another stop, with registers of ours */
	PHASE_GONE,  /* dead */
	PHASE_LOST,  /* running, and not to be stopped */
	PHASE_DONE,
};

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

static bool is_refused(long nr)
{
	for (size_t i = 0; i < COMPEL_ARRAY_SIZE(refused); i++) {
		if (refused[i] == nr)
			return true;
	}
	return false;
}

static int task_gone(struct compel_task *task, struct compel_error *err)
{
	task->phase = PHASE_GONE;
	return compel_fail(err, -ESRCH, "thread %d was killed during a remote system call",
			   task->tid);
}

/* A ptrace call failed: -ESRCH is the only failure that says something about the thread. */
static int task_lost(struct compel_task *task, int ret)
{
	if (ret == -ESRCH)
		task->phase = PHASE_GONE;
	return ret;
}

/*
 * The thread runs and the time is over: interrupts it, so that it stands again. The stop may be the
 * end of the system call or an event-stop before or after it.
 */
static int recall(struct compel_task *task, struct compel_error *err)
{
	int status;

	int ret = compel_interrupt(task->tid, err);
	if (ret < 0)
		return task_lost(task, ret);
	ret = compel_wait_status(task->tid, compel_deadline(RECALL_TIMEOUT_MS), &status);
	if (ret == -ETIMEDOUT) {
		task->phase = PHASE_LOST;
		return compel_fail(err, ret,
				   "thread %d hangs inside a remote system call and cannot be "
				   "interrupted",
				   task->tid);
	}
	if (ret < 0 || compel_wait_decode(status).kind == COMPEL_WAIT_DEAD)
		return task_gone(task, err);
	return compel_fail(err, -ETIMEDOUT,
			   "thread %d: a remote system call took more than %d ms and was "
			   "interrupted",
			   task->tid, task->timeout_ms);
}

/*
 * Runs the thread to its next system call stop. With all signals blocked only SIGSTOP and stop
 * requests can come in between. SIGSTOP is let through at once: only then does the kernel cancel it
 * when SIGCONT follows. The process then counts as stopped, this thread runs on.
 */
static int run_to_syscall_stop(struct compel_task *task, int64_t deadline, struct compel_error *err)
{
	int signo = 0;

	for (;;) {
		int status;

		int ret = compel_ptrace_named(PTRACE_SYSCALL, "PTRACE_SYSCALL", task->tid, NULL,
					      (void *)(uintptr_t)signo, err);
		if (ret < 0)
			return task_lost(task, ret);
		task->phase = PHASE_CALL;
		ret = compel_wait_status(task->tid, deadline, &status);
		if (ret == -ETIMEDOUT)
			return recall(task, err);
		if (ret < 0)
			return task_gone(task, err);

		struct compel_wait wait = compel_wait_decode(status);

		switch (wait.kind) {
		case COMPEL_WAIT_SYSCALL: return 0;
		case COMPEL_WAIT_EVENT:
		case COMPEL_WAIT_GROUP: signo = 0; continue;
		case COMPEL_WAIT_SIGNAL:
			if (wait.signo != SIGSTOP)
				return compel_fail(err, -EFAULT,
						   "thread %d: the system call at 0x%llx raised "
						   "signal %d",
						   task->tid, (unsigned long long)task->insn,
						   wait.signo);
			signo = SIGSTOP;
			continue;
		default: return task_gone(task, err); /* PTRACE_EVENT_EXIT: it is being killed */
		}
	}
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

static int call_once(struct compel_task *task, long nr, const uint64_t args[6], int64_t deadline,
		     int64_t *ret_val, struct compel_error *err)
{
	struct compel_regs regs = task->regs;

	compel_arch.set_call(&regs, task->insn, nr, args);
	int ret = compel_regs_set(task->tid, &regs, err);
	if (ret < 0)
		return task_lost(task, ret);
	ret = run_to_syscall_stop(task, deadline, err); /* entry */
	if (ret < 0)
		return ret;
	ret = run_to_syscall_stop(task, deadline, err); /* exit */
	if (ret < 0)
		return ret;
	ret = compel_regs_get(task->tid, &regs, err);
	if (ret < 0)
		return task_lost(task, ret);
	if (compel_arch.pc(&regs) != insn_end(task->insn))
		return compel_fail(err, -EFAULT,
				   "thread %d: stopped at 0x%llx instead of behind the system call "
				   "instruction at 0x%llx",
				   task->tid, (unsigned long long)compel_arch.pc(&regs),
				   (unsigned long long)task->insn);
	*ret_val = compel_arch.result(&regs);
	return 0;
}

int compel_syscall(struct compel_task *task, long nr, const uint64_t args[6], int64_t *ret_val,
		   struct compel_error *err)
{
	int64_t val = 0;
	int ret;

	if (task->phase > PHASE_CALL)
		return compel_fail(err, -ESRCH, "thread %d: system call %ld after it was lost",
				   task->tid, nr);
	if (is_refused(nr))
		return compel_fail(err, -EINVAL,
				   "thread %d: system call %ld cannot be made in a borrowed thread",
				   task->tid, nr);

	int64_t deadline = compel_deadline(task->timeout_ms);

	do {
		ret = call_once(task, nr, args, deadline, &val, err);
	} while (ret == 0 && is_restart(val));
	if (ret == 0)
		*ret_val = val;
	return ret;
}

/* From any other stop into an event-stop, where registers may be put back. */
static int park(struct compel_task *task, struct compel_error *err)
{
	struct compel_stop stop;

	if (task->phase == PHASE_EVENT)
		return 0;
	int ret = compel_interrupt(task->tid, err);
	if (ret == 0)
		ret = compel_continue(task->tid, 0, err);
	if (ret == 0)
		ret = compel_wait_stop(task->tid, compel_deadline(task->timeout_ms), &stop, err);
	if (ret < 0) {
		task->phase = ret == -ESRCH ? PHASE_GONE : PHASE_LOST;
		return ret;
	}
	if (stop.kind != COMPEL_STOP_EVENT && stop.kind != COMPEL_STOP_GROUP)
		return task_gone(task, err);
	task->phase = PHASE_EVENT;
	return 0;
}

/* ---- Restarts that the kernel decides before the stop (arm, arm64): see arch.h ---- */

/* struct ptrace_syscall_info (linux/ptrace.h, 5.3), as far as entries need it. */
struct syscall_info {
	uint8_t op;
	uint8_t pad[3];
	uint32_t arch;
	uint64_t pc;
	uint64_t sp;
	uint64_t nr;
	uint64_t args[6];
};

#define SYSCALL_INFO_ENTRY 1

static bool stands_at_insn(const struct compel_task *task)
{
	uint64_t pc = compel_arch.pc(&task->regs);

	for (size_t i = 0; i < compel_arch.nr_insns; i++) {
		const struct compel_insn *insn = &compel_arch.insns[i];
		uint8_t text[sizeof(insn->bytes)];

		if ((pc & (insn->align - 1U)) != insn->tag)
			continue;
		return compel_mem_read(task->tid, pc - insn->tag, text, insn->size, NULL) == 0 &&
		       memcmp(text, insn->bytes, insn->size) == 0;
	}
	return false;
}

static int get_syscall_info(struct compel_task *task, struct syscall_info *ret_info,
			    struct compel_error *err)
{
	struct syscall_info info = { 0 };
	int ret = compel_ptrace_named(COMPEL_PTRACE_GET_SYSCALL_INFO, "PTRACE_GET_SYSCALL_INFO",
				      task->tid, (void *)sizeof(info), &info, err);

	if (ret < 0)
		return task_lost(task, ret);
	*ret_info = info;
	return 0;
}

/*
 * A thread that stands at a system call instruction is about to make that call, or to make it again
 * after an interruption, perhaps as restart_syscall. Lets it enter, notes under which number, and
 * has getpid run in its place. One that was borrowed before stands at the entry already; then the
 * registers are those of the call, and the ones to give back are found behind it.
 */
static int catch_call(struct compel_task *task, struct compel_error *err)
{
	struct syscall_info info;

	if (!compel_arch.restart_hidden)
		return 0;
	int ret = get_syscall_info(task, &info, err);
	if (ret < 0)
		return ret;

	int64_t deadline = compel_deadline(task->timeout_ms);
	bool again = info.op == SYSCALL_INFO_ENTRY;

	if (!again) {
		if (!stands_at_insn(task))
			return 0;
		ret = run_to_syscall_stop(task, deadline, err);
		if (ret < 0)
			return ret;
		ret = get_syscall_info(task, &info, err);
		if (ret < 0)
			return ret;
		if (info.op != SYSCALL_INFO_ENTRY)
			return compel_fail(err, -EPROTO, "thread %d does not enter its system call",
					   task->tid);
	}
	ret = compel_arch.set_entry_nr(task->tid, compel_arch.nr_getpid);
	if (ret < 0)
		return compel_fail_errno(err, ret, "thread %d: system call number", task->tid);
	task->call_nr = (int64_t)info.nr;
	ret = run_to_syscall_stop(task, deadline, err);
	if (ret < 0 || !again)
		return ret;

	struct compel_regs regs;

	ret = park(task, err);
	if (ret < 0)
		return ret;
	ret = compel_regs_get(task->tid, &regs, err);
	if (ret < 0)
		return task_lost(task, ret);
	compel_arch.rewind(&regs, &task->regs);
	task->regs = regs;
	return 0;
}

/* From the event-stop to the entry of the call that catch_call() saw. */
static int reenter_call(struct compel_task *task, struct compel_error *err)
{
	struct compel_regs regs = task->regs;

	compel_arch.set_nr(&regs, (long)task->call_nr);
	int ret = compel_regs_set(task->tid, &regs, err);
	if (ret < 0)
		return ret;
	ret = run_to_syscall_stop(task, compel_deadline(task->timeout_ms), err);
	if (ret < 0 || !compel_arch.copy_nr)
		return ret;

	/* The kernel has the number in hand; the register shows what the target put there. */
	struct compel_regs entry;

	ret = compel_regs_get(task->tid, &entry, err);
	if (ret < 0)
		return ret;
	compel_arch.copy_nr(&entry, &task->regs);
	return compel_regs_set(task->tid, &entry, err);
}

/* ---- Borrowing and giving back ---- */

static bool has_seccomp(pid_t tid, enum compel_seccomp known)
{
	struct compel_proc proc;

	if (known != COMPEL_SECCOMP_ASK)
		return known == COMPEL_SECCOMP_ON;
	/* Without /proc assume it: then suspending either works or is refused before any harm. */
	return compel_proc_read(tid, &proc) < 0 || proc.seccomp != 0;
}

static int set_options(struct compel_task *task, uint32_t options, struct compel_error *err)
{
	int ret;

	if (options == task->options_set)
		return 0;
	if (options & COMPEL_PTRACE_O_SUSPEND_SECCOMP)
		ret = compel_seccomp_suspend(task->tid, true, options, err);
	else
		ret = compel_ptrace_named(PTRACE_SETOPTIONS, "PTRACE_SETOPTIONS", task->tid, NULL,
					  (void *)(uintptr_t)options, err);
	if (ret == 0)
		task->options_set = options;
	return ret;
}

/*
 * Syscall user dispatch (prctl(2) PR_SET_SYSCALL_USER_DISPATCH, 5.11) would turn our call into a
 * forced SIGSYS. ptrace can switch it off since 6.4; before that nothing shows that it is on.
 */
static int suspend_dispatch(struct compel_task *task, struct compel_error *err)
{
	const uint64_t off[4] = { 0 };
	void *size = (void *)sizeof(off);

	if (compel_ptrace(COMPEL_PTRACE_GET_DISPATCH_CONFIG, task->tid, size, task->dispatch) < 0 ||
	    task->dispatch[0] == 0) {
		task->dispatch[0] = 0;
		return 0;
	}
	/* What cannot be set again as it is must not be switched off. */
	if (compel_ptrace(COMPEL_PTRACE_SET_DISPATCH_CONFIG, task->tid, size, task->dispatch) < 0) {
		task->dispatch[0] = 0;
		return compel_fail(err, -EOPNOTSUPP,
				   "thread %d uses a form of syscall user dispatch that ptrace "
				   "cannot put back",
				   task->tid);
	}
	return compel_ptrace_named(COMPEL_PTRACE_SET_DISPATCH_CONFIG,
				   "PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG", task->tid, size,
				   (void *)(uintptr_t)off, err);
}

/* Steps of compel_prepare() that have to be undone by compel_finish() when a later one fails. */
static int borrow(struct compel_task *task, enum compel_seccomp seccomp, struct compel_error *err)
{
	uint32_t options = task->options | COMPEL_PTRACE_O_TRACESYSGOOD;

	if (has_seccomp(task->tid, seccomp))
		options |= COMPEL_PTRACE_O_SUSPEND_SECCOMP;
	int ret = set_options(task, options, err);
	if (ret < 0)
		return ret;
	ret = suspend_dispatch(task, err);
	if (ret < 0)
		return ret;
	ret = compel_sigmask_set(task->tid, ~0ULL, err);
	if (ret < 0)
		return ret;
	return catch_call(task, err);
}

int compel_prepare(struct compel_task *task, pid_t tid, const struct compel_prepare_opts *opts,
		   struct compel_error *err)
{
	*task = (struct compel_task){
		.tid = tid,
		.timeout_ms = opts->timeout_ms ? opts->timeout_ms : DEFAULT_TIMEOUT_MS,
		.options = opts->options,
		.options_set = opts->options,
		.insn = opts->insn,
		.call_nr = -1,
		.phase = PHASE_EVENT,
	};
	int ret = compel_regs_get(tid, &task->regs, err);
	if (ret < 0)
		return ret;
	/*
	 * Between here and the end the kernel would see the program counter outside of the
	 * sequence and forget it, without the abort that is due.
	 */
	ret = compel_rseq_abort(tid, &task->regs, err);
	if (ret < 0)
		return ret;
	ret = compel_sigmask_get(tid, &task->sigmask, err);
	if (ret < 0)
		return ret;
	if (task->insn == 0) {
		ret = compel_insn_find_maps(tid, &task->insn, err);
		if (ret < 0)
			return ret;
	}
	ret = borrow(task, opts->seccomp, err);
	if (ret < 0)
		compel_finish(task, NULL);
	return ret;
}

void compel_set_return(struct compel_task *task, const struct compel_regs *regs, uint64_t sigmask)
{
	task->regs = *regs;
	task->sigmask = sigmask;
	task->call_nr = -1;
}

/* Keeps the first failure of several steps, with its words. */
static void keep_first(int *first, int ret, struct compel_error **err)
{
	if (ret < 0 && *first == 0) {
		*first = ret;
		*err = NULL;
	}
}

int compel_finish(struct compel_task *task, struct compel_error *err)
{
	int first = 0;

	if (task->phase == PHASE_DONE)
		return 0;
	if (task->phase == PHASE_GONE || task->phase == PHASE_LOST)
		return compel_fail(err, task->phase == PHASE_GONE ? -ESRCH : -ETIMEDOUT,
				   "thread %d cannot be given back: it was %s", task->tid,
				   task->phase == PHASE_GONE ? "killed" : "lost in a system call");
	int ret = park(task, err);
	if (ret < 0)
		return ret;
	if (task->call_nr >= 0)
		keep_first(&first, reenter_call(task, err), &err);
	else
		keep_first(&first, compel_regs_set(task->tid, &task->regs, err), &err);
	if (task->dispatch[0])
		keep_first(&first,
			   compel_ptrace_named(COMPEL_PTRACE_SET_DISPATCH_CONFIG,
					       "PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG", task->tid,
					       (void *)sizeof(task->dispatch), task->dispatch, err),
			   &err);
	keep_first(&first, compel_sigmask_set(task->tid, task->sigmask, err), &err);
	keep_first(&first, set_options(task, task->options, err), &err);
	task->phase = first == -ESRCH ? PHASE_GONE : PHASE_DONE;
	return first;
}
