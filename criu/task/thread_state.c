// SPDX-License-Identifier: GPL-2.0-only
/*
 * Thread state through ptrace, see thread_state.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "base/cleanup.h"
#include "target/compel_err.h"
#include "task/seccomp.h"
#include "task/thread_state.h"

enum { NSEC_PER_SEC = 1000000000 };

/*
 * What is left of an interrupted sleep: the engine may have seen it in the kernel; else it is in the
 * task's memory, for calls that were given a place for it. Elsewhere the whole time is slept again.
 */
static void extract_sleep(struct thread *thread, const struct compel_regs *regs)
{
	ThreadCoreEntry *core = thread->core->thread_core;
	int64_t rest[2] = { 0 };
	uint64_t addr = 0;

	if (!arch_sleep_is_interrupted(regs, &addr)) {
		core->has_restart_remaining_ns = false;
		return;
	}
	if (core->has_restart_remaining_ns || !addr ||
	    compel_mem_read(thread->tid, addr, rest, sizeof(rest), NULL) < 0)
		return;
	if (rest[0] < 0 || rest[0] > INT32_MAX || rest[1] < 0 || rest[1] >= NSEC_PER_SEC)
		return;
	core->has_restart_remaining_ns = true;
	core->restart_remaining_ns = (uint64_t)rest[0] * NSEC_PER_SEC + (uint64_t)rest[1];
}

static int extract_regs(struct snapshot *snap, struct thread *thread, uint64_t clear_tid_addr,
			struct err *err)
{
	struct compel_error cerr = { 0 };
	struct compel_regs regs;
	struct compel_fpu fpu;

	compel_fpu_init(&fpu, NULL, 0);
	int ret = compel_regs_get(thread->tid, &regs, &cerr);
	if (ret >= 0)
		ret = compel_fpu_get(thread->tid, &fpu, &cerr);
	if (ret >= 0)
		ret = compel_rseq_abort(thread->tid, &regs, &cerr);
	if (ret >= 0)
		extract_sleep(thread, &regs);
	ret = ret < 0 ? err_compel(err, ret, &cerr) :
			arch_save_regs(snap, thread->core, &regs, &fpu, clear_tid_addr, err);
	compel_fpu_fini(&fpu);
	return ret;
}

static int extract_rseq(struct snapshot *snap, struct thread *thread, struct err *err)
{
	struct compel_error cerr = { 0 };
	struct compel_rseq rseq;
	int ret = compel_rseq_get(thread->tid, &rseq, &cerr);

	if (ret == -EIO || (ret == 0 && !rseq.addr)) /* an old kernel, or none is registered */
		return 0;
	if (ret < 0)
		return err_compel(err, ret, &cerr);
	RseqEntry *entry = SNAP_MSG(snap, RseqEntry, rseq_entry);
	entry->rseq_abi_pointer = rseq.addr;
	entry->rseq_abi_size = rseq.size;
	entry->signature = rseq.signature;
	thread->core->thread_core->rseq_entry = entry;
	return 0;
}

static int extract_pending(struct snapshot *snap, pid_t tid, bool shared,
			   SignalQueueEntry **ret_queue, struct err *err)
{
	_cleanup_free_ siginfo_t *infos = NULL;
	struct compel_error cerr = { 0 };
	int n = compel_siginfo_peek(tid, shared, &infos, &cerr);

	if (n < 0)
		return err_compel(err, n, &cerr);
	SignalQueueEntry *queue = SNAP_MSG(snap, SignalQueueEntry, signal_queue_entry);
	queue->n_signals = (size_t)n;
	queue->signals = ARENA_ARRAY(&snap->arena, SiginfoEntry *, n);
	for (int i = 0; i < n; i++) {
		queue->signals[i] = SNAP_MSG(snap, SiginfoEntry, siginfo_entry);
		queue->signals[i]->siginfo.len = sizeof(infos[i]);
		queue->signals[i]->siginfo.data =
			arena_memdup(&snap->arena, &infos[i], sizeof(infos[i]));
	}
	*ret_queue = queue;
	return 0;
}

static int extract_signals(struct snapshot *snap, struct thread *thread, struct err *err)
{
	ThreadCoreEntry *core = thread->core->thread_core;
	TaskCoreEntry *tc = thread->core->tc;
	struct compel_error cerr = { 0 };
	uint64_t mask;
	int ret = compel_sigmask_get(thread->tid, &mask, &cerr);

	if (ret < 0)
		return err_compel(err, ret, &cerr);
	core->has_blk_sigset = true;
	core->blk_sigset = mask;
	ret = extract_pending(snap, thread->tid, false, &core->signals_p, err);
	if (ret < 0 || !tc)
		return ret;
	tc->blk_sigset = mask;
	return extract_pending(snap, thread->tid, true, &tc->signals_s, err);
}

int thread_state_extract(struct snapshot *snap, struct thread *thread, uint64_t clear_tid_addr,
			 struct err *err)
{
	int ret = extract_regs(snap, thread, clear_tid_addr, err);

	if (ret == 0)
		ret = extract_rseq(snap, thread, err);
	if (ret == 0)
		ret = extract_signals(snap, thread, err);
	return ret == 0 ? seccomp_extract(snap, thread, err) : ret;
}

static int apply_sleep(const struct thread *thread, struct compel_regs *regs, struct err *err)
{
	uint64_t ns = thread->core->thread_core->restart_remaining_ns;
	int64_t rest[2] = { (int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC) };
	struct compel_regs changed = *regs;
	struct compel_error cerr = { 0 };

	if (!thread->core->thread_core->has_restart_remaining_ns)
		return 0;
	uint64_t addr = arch_sleep_continue(&changed, ns);
	int ret = addr ? compel_mem_write(thread->tid, addr, rest, sizeof(rest), &cerr) : 0;
	if (ret == 0)
		*regs = changed;
	/* no room on the stack: then it sleeps the whole time again */
	return ret == -EFAULT ? 0 : err_compel(err, ret, &cerr);
}

int thread_state_apply(const struct thread *thread, struct compel_task *task, struct err *err)
{
	const ThreadCoreEntry *core = thread->core->thread_core;
	struct compel_error cerr = { 0 };
	struct compel_regs regs = task->regs;
	struct compel_fpu fpu;
	int ret = seccomp_apply_strict(thread, task, err);

	if (ret < 0)
		return ret;
	compel_fpu_init(&fpu, NULL, 0);
	ret = err_compel(err, compel_fpu_get(thread->tid, &fpu, &cerr), &cerr);
	if (ret == 0)
		ret = arch_load_regs(thread->core, &regs, &fpu, err);
	if (ret == 0)
		ret = apply_sleep(thread, &regs, err);
	if (ret == 0)
		ret = err_compel(err, compel_fpu_set(thread->tid, &fpu, &cerr), &cerr);
	if (ret == 0)
		compel_set_return(task, &regs,
				  core->has_blk_sigset ? core->blk_sigset :
				  thread->core->tc     ? thread->core->tc->blk_sigset :
							 0);
	compel_fpu_fini(&fpu);
	return ret;
}
