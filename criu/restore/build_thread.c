// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of the restore program that each thread runs for itself.
 */
#include <errno.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/arch.h"
#include "restore/build_creds.h"
#include "restore/builder.h"

#ifndef SCHED_DEADLINE
#define SCHED_DEADLINE 6
#endif

enum {
	SIGINFO_SIZE = 128,
	ROBUST_LIST_SIZE = 3 * sizeof(long),
	SCHED_FLAGS_KNOWN = 0x7, /* RESET_ON_FORK, RECLAIM, DL_OVERRUN: what needs no more fields */
};

/* struct sched_attr of sched_setattr(2), first version. */
struct sched_attr_v0 {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};
_Static_assert(sizeof(struct sched_attr_v0) == 48, "wire layout");

static void build_comm(struct builder *b, struct op_list *list, const CoreEntry *core)
{
	const char *comm = core->thread_core->comm;

	if (!comm && core->tc)
		comm = core->tc->comm;
	if (comm)
		BUILDER_OP(b, list, ROP_COMM, builder_str(b, comm));
}

/* The kernel takes whole longs. */
static void build_affinity(struct builder *b, struct op_list *list, const ThreadCoreEntry *core)
{
	size_t words = ALIGN_UP(core->n_cpu_mask, sizeof(long) / sizeof(uint32_t));
	uint32_t *mask;

	if (!core->n_cpu_mask)
		return;
	mask = ARENA_ARRAY(&b->prog->arena, uint32_t, words);
	memcpy(mask, core->cpu_mask, core->n_cpu_mask * sizeof(*mask));
	BUILDER_OP(b, list, ROP_AFFINITY, builder_data(b, mask, words * sizeof(*mask)),
		   words * sizeof(*mask))
		->warning = RWARN_AFFINITY;
}

/* The policy may hold the flag as sched_setscheduler(2) takes it, and has only this one in criu. */
static uint64_t sched_flags(const ThreadCoreEntry *core)
{
	uint64_t flags = core->sched_flags & SCHED_FLAGS_KNOWN;

	return flags | (core->sched_policy & SCHED_RESET_ON_FORK ? SCHED_FLAG_RESET_ON_FORK : 0);
}

/* What is as crib has it is left alone: it may need a capability to set. */
static void build_sched(struct builder *b, struct op_list *list, const ThreadCoreEntry *core)
{
	struct sched_attr_v0 now = { 0 };
	struct sched_attr_v0 want = {
		.size = sizeof(want),
		.policy = core->sched_policy & ~SCHED_RESET_ON_FORK,
		.nice = core->sched_nice,
		.priority = core->sched_prio,
		.runtime = core->sched_runtime,
		.deadline = core->sched_deadline,
		.period = core->sched_period,
		.flags = sched_flags(core),
	};
	bool fair = want.policy == SCHED_OTHER || want.policy == SCHED_BATCH;

	if (!core->has_sched_policy && !core->has_sched_nice)
		return;
	if (!syscall(SYS_sched_getattr, 0, &now, sizeof(now), 0) && now.policy == want.policy &&
	    now.nice == want.nice && now.priority == want.priority && fair && !want.flags &&
	    (!want.runtime || now.runtime == want.runtime))
		return;
	if (!fair && want.nice) {
		/* other policies do not take a nice value, and keep the one that is there */
		const struct sched_attr_v0 nice = { .size = sizeof(nice),
						    .policy = SCHED_OTHER,
						    .nice = want.nice };

		BUILDER_OP(b, list, ROP_SCHED, builder_data(b, &nice, sizeof(nice)));
	}
	BUILDER_OP(b, list, ROP_SCHED, builder_data(b, &want, sizeof(want)));
}

static void build_addresses(struct builder *b, struct op_list *list, const CoreEntry *core)
{
	const ThreadCoreEntry *thread = core->thread_core;

	if (thread->rseq_entry && thread->rseq_entry->rseq_abi_pointer)
		BUILDER_OP(b, list, ROP_RSEQ, thread->rseq_entry->rseq_abi_pointer,
			   thread->rseq_entry->rseq_abi_size, thread->rseq_entry->signature)
			->warning = RWARN_RSEQ;
	BUILDER_OP(b, list, ROP_ROBUST_LIST, thread->futex_rla,
		   thread->futex_rla_len ? thread->futex_rla_len : ROBUST_LIST_SIZE);
	BUILDER_OP(b, list, ROP_TID_ADDRESS, arch_clear_tid_addr(core));
	if (thread->sas)
		BUILDER_OP(b, list, ROP_ALTSTACK, thread->sas->ss_sp, thread->sas->ss_size,
			   thread->sas->ss_flags);
}

int64_t builder_signal_timer(const SiginfoEntry *signal)
{
	siginfo_t info = { 0 };

	if (signal->siginfo.len > sizeof(info))
		return -1;
	memcpy(&info, signal->siginfo.data, signal->siginfo.len);
	return info.si_code == SI_TIMER ? info.si_timerid : -1;
}

/* @tid: 0 for what is pending for the process. A stop is the coordinator's to bring back. */
static int build_pending(struct builder *b, struct op_list *list, const SignalQueueEntry *queue,
			 pid_t tid)
{
	for (size_t i = 0; queue && i < queue->n_signals; i++) {
		const ProtobufCBinaryData *saved = &queue->signals[i]->siginfo;
		char info[SIGINFO_SIZE] = { 0 };
		int32_t signo = 0;

		if (saved->len > sizeof(info) || saved->len < sizeof(signo))
			return err_set(b->err, -EBADMSG, "a pending signal of %zu bytes",
				       saved->len);
		memcpy(info, saved->data, saved->len);
		memcpy(&signo, info, sizeof(signo));
		if (signo < 1 || signo > SIGRTMAX)
			return err_set(b->err, -EBADMSG, "pending signal %d", signo);
		if (signo == SIGKILL || signo == SIGSTOP ||
		    builder_timer_sends(b, queue->signals[i]))
			continue;
		BUILDER_OP(b, list, ROP_SIGQUEUE, (uint64_t)signo, (uint64_t)tid,
			   builder_data(b, info, sizeof(info)));
	}
	return 0;
}

int build_thread(struct builder *b, size_t index)
{
	const struct thread *thread = &b->task->threads.v[index];
	const CoreEntry *core = thread->core;
	const ThreadCoreEntry *entry = core ? core->thread_core : NULL;
	struct op_list *list = &b->threads[index];
	int ret = 0;

	if (!entry)
		return err_set(b->err, -EBADMSG, "thread %d: no thread_core", thread->tid);
	build_comm(b, list, core);
	build_addresses(b, list, core);
	if (!index)
		ret = build_pending(b, list, core->tc->signals_s, 0);
	if (!ret)
		ret = build_pending(b, list, entry->signals_p, thread->tid);
	if (ret < 0)
		return err_wrap(b->err, ret, "thread %d", thread->tid);
	build_affinity(b, list, entry);
	build_sched(b, list, entry);
	if (entry->timerslack_ns)
		BUILDER_OP(b, list, ROP_PRCTL, PR_SET_TIMERSLACK, entry->timerslack_ns)->warning =
			RWARN_TIMERSLACK;
	if (b->env->hold_before_creds)
		builder_op(b, list, ROP_HOLD);
	ret = build_creds(b, list, thread);
	/* A change of credentials clears it; a leader has that of its actor. */
	if (!ret && (entry->pdeath_sig || thread->tid == thread->task->pid))
		BUILDER_OP(b, list, ROP_PRCTL, PR_SET_PDEATHSIG, entry->pdeath_sig);
	return err_wrap(b->err, ret, "thread %d", thread->tid);
}
