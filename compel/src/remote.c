/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Borrowing threads for system calls and giving them back.
 *
 * An interrupted call of the target survives because the registers are put back in an event-stop,
 * which lies inside the kernel's signal handling: when it ends the kernel delivers what is pending
 * and restarts the call as if the thread had only been stopped. arch.h says where it differs.
 */
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "remote.h"

#define DEFAULT_TIMEOUT_MS 10000

#define FINISHED           1 /* nothing is left to do: task->ret between stages */

/* ---- From any other stop into an event-stop, where registers may be put back ---- */

static int park_begin(struct compel_task *task, struct compel_error *err)
{
	if (task->phase == COMPEL_PHASE_EVENT)
		return 0;
	int ret = compel_interrupt(task->tid, err);
	if (ret == 0)
		ret = compel_continue(task->tid, 0, err);
	if (ret < 0)
		task->phase = ret == -ESRCH ? COMPEL_PHASE_GONE : COMPEL_PHASE_LOST;
	return ret;
}

static int park_end(struct compel_task *task, struct compel_error *err)
{
	struct compel_stop stop;

	if (task->phase == COMPEL_PHASE_EVENT)
		return 0;
	int ret = compel_wait_stop(task->tid, compel_deadline(task->timeout_ms), &stop, err);
	if (ret < 0) {
		task->phase = ret == -ESRCH ? COMPEL_PHASE_GONE : COMPEL_PHASE_LOST;
		return ret;
	}
	if (stop.kind != COMPEL_STOP_EVENT && stop.kind != COMPEL_STOP_GROUP)
		return compel_task_gone(task, err);
	task->phase = COMPEL_PHASE_EVENT;
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

/* Where the thread stood when it was borrowed: values of task->entry. */
enum {
	ENTRY_NONE,  /* not in front of a call */
	ENTRY_FIRST, /* in front of one */
	ENTRY_AGAIN, /* at the entry of one, where it was given back before */
};

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
		return compel_task_lost(task, ret);
	*ret_info = info;
	return 0;
}

/*
 * A thread that stands at a system call instruction is about to make that call, or to make it again
 * after an interruption, perhaps as restart_syscall. Lets it enter, notes under which number, and
 * has getpid run in its place. One that was borrowed before stands at the entry already; then the
 * registers are those of the call, and the ones to give back are found behind it.
 */
static int catch_enter(struct compel_task *task, struct compel_error *err)
{
	struct syscall_info info;

	if (!compel_arch.restart_hidden)
		return 0;
	int ret = get_syscall_info(task, &info, err);
	if (ret < 0)
		return ret;
	if (info.op == SYSCALL_INFO_ENTRY) {
		task->entry = ENTRY_AGAIN;
		return 0;
	}
	if (!stands_at_insn(task))
		return 0;
	task->entry = ENTRY_FIRST;
	return compel_run_begin(task, err);
}

static int catch_replace(struct compel_task *task, struct compel_error *err)
{
	struct syscall_info info;
	int ret = 0;

	if (task->entry == ENTRY_NONE)
		return 0;
	if (task->entry == ENTRY_FIRST)
		ret = compel_run_end(task, err);
	if (ret == 0)
		ret = get_syscall_info(task, &info, err);
	if (ret < 0)
		return ret;
	if (info.op != SYSCALL_INFO_ENTRY)
		return compel_fail(err, -EPROTO, "thread %d does not enter its system call",
				   task->tid);
	ret = compel_arch.set_entry_nr(task->tid, compel_arch.nr_getpid);
	if (ret < 0)
		return compel_fail_errno(err, ret, "thread %d: system call number", task->tid);
	task->call_nr = (int64_t)info.nr;
	return compel_run_begin(task, err);
}

static int catch_leave(struct compel_task *task, struct compel_error *err)
{
	if (task->entry == ENTRY_NONE)
		return 0;
	int ret = compel_run_end(task, err);
	return ret < 0 || task->entry == ENTRY_FIRST ? ret : park_begin(task, err);
}

static int catch_rewind(struct compel_task *task, struct compel_error *err)
{
	struct compel_regs regs;

	if (task->entry != ENTRY_AGAIN)
		return 0;
	int ret = park_end(task, err);
	if (ret < 0)
		return ret;
	ret = compel_regs_get(task->tid, &regs, err);
	if (ret < 0)
		return compel_task_lost(task, ret);
	compel_arch.rewind(&regs, &task->regs);
	task->regs = regs;
	return 0;
}

/* From the event-stop to the entry of the call that was caught. */
static int reenter_begin(struct compel_task *task, struct compel_error *err)
{
	struct compel_regs regs = task->regs;

	compel_arch.set_nr(&regs, (long)task->call_nr);
	int ret = compel_regs_set(task->tid, &regs, err);
	return ret < 0 ? ret : compel_run_begin(task, err);
}

static int reenter_end(struct compel_task *task, struct compel_error *err)
{
	struct compel_regs entry;
	int ret = compel_run_end(task, err);

	if (ret < 0 || !compel_arch.copy_nr)
		return ret;
	/* The kernel has the number in hand; the register shows what the target put there. */
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

static int borrow_look(struct compel_task *task, struct compel_error *err)
{
	int ret = compel_regs_get(task->tid, &task->regs, err);

	if (ret < 0)
		return ret;
	/*
	 * Between here and the end the kernel would see the program counter outside of the
	 * sequence and forget it, without the abort that is due.
	 */
	ret = compel_rseq_abort(task->tid, &task->regs, err);
	if (ret < 0)
		return ret;
	ret = compel_sigmask_get(task->tid, &task->sigmask, err);
	if (ret < 0 || task->insn)
		return ret;
	if (!(task->options & COMPEL_PTRACE_O_EXITKILL)) {
		struct compel_text text = { 0 };

		ret = compel_text_find_maps(task->tid, &text, NULL);
		task->insn = text.insn;
		task->sigreturn = text.sigreturn;
	}
	return task->insn ? 0 : compel_insn_find_maps(task->tid, &task->insn, err);
}

/* From here on compel_finish() has something to undo. */
static int borrow_begin(struct compel_task *task, struct compel_error *err)
{
	uint32_t options = task->options | COMPEL_PTRACE_O_TRACESYSGOOD;

	task->touched = true;
	if (has_seccomp(task->tid, task->seccomp))
		options |= COMPEL_PTRACE_O_SUSPEND_SECCOMP;
	int ret = set_options(task, options, err);
	if (ret < 0)
		return ret;
	ret = suspend_dispatch(task, err);
	if (ret < 0 || !compel_arch.restart_hidden)
		return ret;
	/* It will run before its first call. */
	task->masked = true;
	task->mask = ~0ULL;
	return compel_sigmask_set(task->tid, task->mask, err);
}

void compel_task_init(struct compel_task *task, pid_t tid, const struct compel_prepare_opts *opts)
{
	*task = (struct compel_task){
		.tid = tid,
		.timeout_ms = opts->timeout_ms ? opts->timeout_ms : DEFAULT_TIMEOUT_MS,
		.options = opts->options,
		.options_set = opts->options,
		.seccomp = opts->seccomp,
		.insn = opts->insn,
		.sigreturn = opts->sigreturn,
		.stack = opts->stack,
		.call_nr = -1,
		.phase = COMPEL_PHASE_EVENT,
	};
}

int compel_prepare_many(struct compel_task *const *tasks, size_t nr, struct compel_error *err)
{
	static compel_stage *const stages[] = {
		borrow_look, borrow_begin, catch_enter, catch_replace,
		catch_leave, catch_rewind, NULL,
	};

	for (size_t i = 0; i < nr; i++)
		tasks[i]->ret = 0;
	int first = compel_run_stages(tasks, nr, stages, err);

	for (size_t i = 0; i < nr; i++) {
		int ret = tasks[i]->ret;

		if (ret == 0)
			continue;
		if (tasks[i]->touched)
			compel_finish(tasks[i], NULL);
		tasks[i]->phase = COMPEL_PHASE_DONE;
		tasks[i]->ret = ret;
	}
	return first;
}

int compel_prepare(struct compel_task *task, pid_t tid, const struct compel_prepare_opts *opts,
		   struct compel_error *err)
{
	compel_task_init(task, tid, opts);
	return compel_prepare_many(&task, 1, err);
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

static int restore_mask(struct compel_task *task, struct compel_error *err)
{
	if (!task->masked)
		return 0;
	task->masked = false;
	return compel_sigmask_set(task->tid, task->sigmask, err);
}

/* What is not in the registers. All is tried, the first failure counts. */
static int settle_rest(struct compel_task *task, struct compel_error *err)
{
	int first = 0;

	if (task->dispatch[0])
		keep_first(&first,
			   compel_ptrace_named(COMPEL_PTRACE_SET_DISPATCH_CONFIG,
					       "PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG", task->tid,
					       (void *)sizeof(task->dispatch), task->dispatch, err),
			   &err);
	keep_first(&first, restore_mask(task, err), &err);
	keep_first(&first, set_options(task, task->options, err), &err);
	return first;
}

static int settle_failed(struct compel_task *task, int ret)
{
	settle_rest(task, NULL);
	compel_home_forget(task);
	task->phase = ret == -ESRCH ? COMPEL_PHASE_GONE : COMPEL_PHASE_DONE;
	return ret;
}

static int settle_begin(struct compel_task *task, struct compel_error *err)
{
	int ret;

	if (task->call_nr >= 0) {
		ret = reenter_begin(task, err);
	} else {
		/* Its own registers come last: until then those of ours lead to its own mask. */
		ret = restore_mask(task, err);
		if (ret == 0)
			ret = compel_regs_set(task->tid, &task->regs, err);
	}
	return ret < 0 ? settle_failed(task, ret) : 0;
}

static int settle_end(struct compel_task *task, struct compel_error *err)
{
	int ret = task->call_nr >= 0 ? reenter_end(task, err) : 0;

	if (ret < 0)
		return settle_failed(task, ret);
	ret = settle_rest(task, err);
	compel_home_end(task);
	task->phase = ret == -ESRCH ? COMPEL_PHASE_GONE : COMPEL_PHASE_DONE;
	return ret;
}

static int finish_check(struct compel_task *task, struct compel_error *err)
{
	switch (task->phase) {
	case COMPEL_PHASE_DONE: return FINISHED;
	case COMPEL_PHASE_GONE:
		compel_home_forget(task);
		return compel_fail(err, -ESRCH, "thread %d cannot be given back: it was killed",
				   task->tid);
	case COMPEL_PHASE_LOST:
		compel_home_forget(task);
		return compel_fail(err, -ETIMEDOUT,
				   "thread %d cannot be given back: it was lost in a system call",
				   task->tid);
	default: return 0;
	}
}

int compel_finish_many(struct compel_task *const *tasks, size_t nr, struct compel_error *err)
{
	static compel_stage *const stages[] = {
		finish_check, park_begin, park_end, settle_begin, settle_end, NULL,
	};

	for (size_t i = 0; i < nr; i++)
		tasks[i]->ret = 0;
	int first = compel_run_stages(tasks, nr, stages, err);

	for (size_t i = 0; i < nr; i++)
		tasks[i]->ret = tasks[i]->ret == FINISHED ? 0 : tasks[i]->ret;
	return first;
}

int compel_finish(struct compel_task *task, struct compel_error *err)
{
	return compel_finish_many(&task, 1, err);
}
