// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remote system calls that ask a frozen process about itself, see inside.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "collect/inside/inside.h"
#include "collect/proc/parse.h"
#include "target/compel_err.h"

#ifndef PR_GET_THP_DISABLE
#define PR_GET_THP_DISABLE 42
#endif
#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif

/* The kernel's own struct sigaction; libcs have other ones. */
struct kernel_sigaction {
	unsigned long handler, flags, restorer;
	unsigned long mask[REC_NR_SIGNALS / (8 * sizeof(unsigned long))];
};

/* getitimer(2) has no variant with 64-bit times. */
struct kernel_itimerval {
	long interval_sec, interval_usec, value_sec, value_usec;
};

/* timer_gettime64(2), and timer_gettime(2) on 64-bit machines. */
struct kernel_itimerspec {
	int64_t interval_sec, interval_nsec, value_sec, value_nsec;
};

#ifdef SYS_timer_gettime64
enum { NR_TIMER_GETTIME = SYS_timer_gettime64 };
#else
enum { NR_TIMER_GETTIME = SYS_timer_gettime };
#endif

/* The mapping in the target into which its system calls write. */
struct scratch {
	struct kernel_sigaction action[REC_NR_SIGNALS];
	struct kernel_itimerval itimer[3];
	struct kernel_itimerspec ptimer;
	struct {
		stack_t sas;
		unsigned long ctid;
		int pdeath_sig;
	} thread;
	int subreaper;
};

struct inside {
	const struct frozen_task *task;
	const struct inside_need *need;
	struct rec_sink *sink;
	struct err *err;
	struct compel_task leader;
	struct compel_scratch area;
};

#define REMOTE(in, field)       ((in)->area.addr + __builtin_offsetof(struct scratch, field))
#define REMOTE_AT(in, field, i) (REMOTE(in, field) + (i) * sizeof(((struct scratch *)0)->field[0]))

/* Makes the call in @thread. *ret_val is what it returned, or the target's -errno. */
static int call(struct inside *in, struct compel_task *thread, int64_t *ret_val, long nr,
		uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const uint64_t args[6] = { a, b, c, d };
	struct compel_error ce;

	return err_compel(in->err, compel_syscall(thread, nr, args, ret_val, &ce), &ce);
}

static int fetch(struct inside *in, uint64_t addr, void *data, size_t size)
{
	struct compel_error ce;

	return err_compel(in->err, compel_mem_read(in->task->pid, addr, data, size, &ce), &ce);
}

static struct rec_hdr header(const struct inside *in, enum rec_type type, size_t size, pid_t tid)
{
	return (struct rec_hdr){
		.type = type, .len = (__u32)size, .pid = (__u32)in->task->pid, .tid = (__u32)tid
	};
}

static int emit(struct inside *in, const struct rec_hdr *rec)
{
	return in->sink->emit(in->sink, rec, in->err);
}

/* ---- Of the process ---- */

/* Signals whose action may be another than SIG_DFL without flags. */
static int wanted_signals(struct inside *in, uint64_t *ret_mask)
{
	struct proc_status status;
	struct strbuf text = { 0 };
	struct arena arena = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/status", in->task->pid);
	int ret = io_read_file(AT_FDCWD, path, &text);
	if (ret < 0)
		ret = err_ret(in->err, ret, "read '%s'", path);
	else
		ret = proc_parse_status(strbuf_str(&text), &arena, &status, in->err);
	strbuf_fini(&text);
	arena_fini(&arena);
	if (ret < 0)
		return ret;
	/* SIG_DFL with SA_NOCLDWAIT or SA_NOCLDSTOP has a meaning for SIGCHLD. */
	*ret_mask = status.sig_caught | status.sig_ignored | UINT64_C(1) << (SIGCHLD - 1);
	*ret_mask &= ~(UINT64_C(1) << (SIGKILL - 1) | UINT64_C(1) << (SIGSTOP - 1));
	return 0;
}

static uint64_t mask_of(const struct kernel_sigaction *action)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(action->mask); i++)
		mask |= (uint64_t)action->mask[i] << (i * 8 * sizeof(action->mask[0]) % 64);
	return mask;
}

static int ask_sigactions(struct inside *in)
{
	struct rec_sigactions rec = { .hdr = header(in, REC_SIGACTIONS, sizeof(rec),
						    in->task->pid) };
	struct kernel_sigaction action[REC_NR_SIGNALS] = { 0 };
	uint64_t wanted;
	int64_t val;

	int ret = wanted_signals(in, &wanted);
	if (ret < 0)
		return ret;
	for (unsigned int i = 0; i < REC_NR_SIGNALS; i++) {
		if (!(wanted & UINT64_C(1) << i))
			continue;
		ret = call(in, &in->leader, &val, SYS_rt_sigaction, i + 1, 0,
			   REMOTE_AT(in, action, i), REC_NR_SIGNALS / 8);
		if (ret < 0)
			return ret;
		if (val < 0)
			return err_ret(in->err, (int)val, "rt_sigaction of signal %u", i + 1);
	}
	/* The mapping was zeroes: what was not asked for is SIG_DFL. */
	ret = fetch(in, REMOTE(in, action), action, sizeof(action));
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < REC_NR_SIGNALS; i++) {
		rec.action[i].handler = action[i].handler;
		rec.action[i].flags = action[i].flags;
		rec.action[i].restorer = action[i].restorer;
		rec.action[i].mask = mask_of(&action[i]);
	}
	return emit(in, &rec.hdr);
}

static int ask_itimers(struct inside *in)
{
	struct rec_itimers rec = { .hdr = header(in, REC_ITIMERS, sizeof(rec), in->task->pid) };
	struct kernel_itimerval timer[ARRAY_SIZE(rec.timer)];
	int64_t val;

	for (unsigned int i = 0; i < ARRAY_SIZE(rec.timer); i++) {
		int ret = call(in, &in->leader, &val, SYS_getitimer, i, REMOTE_AT(in, itimer, i), 0,
			       0);

		if (ret == 0 && val < 0)
			ret = err_ret(in->err, (int)val, "getitimer %u", i);
		if (ret < 0)
			return ret;
	}
	int ret = fetch(in, REMOTE(in, itimer), timer, sizeof(timer));
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < ARRAY_SIZE(rec.timer); i++) {
		rec.timer[i].value_us =
			(uint64_t)timer[i].value_sec * 1000000 + (uint64_t)timer[i].value_usec;
		rec.timer[i].interval_us = (uint64_t)timer[i].interval_sec * 1000000 +
					   (uint64_t)timer[i].interval_usec;
	}
	return emit(in, &rec.hdr);
}

static int ask_ptimer(struct inside *in, uint32_t id)
{
	struct rec_ptimer rec = { .hdr = header(in, REC_PTIMER, sizeof(rec), in->task->pid),
				  .id = id };
	struct kernel_itimerspec spec;
	int64_t val;

	int ret = call(in, &in->leader, &val, NR_TIMER_GETTIME, id, REMOTE(in, ptimer), 0, 0);
	if (ret == 0 && val < 0)
		ret = err_ret(in->err, (int)val, "timer_gettime of timer %u", id);
	if (ret == 0)
		ret = fetch(in, REMOTE(in, ptimer), &spec, sizeof(spec));
	if (ret == 0)
		ret = call(in, &in->leader, &val, SYS_timer_getoverrun, id, 0, 0, 0);
	if (ret < 0)
		return ret;
	if (val < 0)
		return err_ret(in->err, (int)val, "timer_getoverrun of timer %u", id);
	rec.overrun = (__u32)val;
	rec.value_ns = (uint64_t)spec.value_sec * 1000000000 + (uint64_t)spec.value_nsec;
	rec.interval_ns = (uint64_t)spec.interval_sec * 1000000000 + (uint64_t)spec.interval_nsec;
	rec.hdr.valid = RV_PTIMER_VALUE;
	return emit(in, &rec.hdr);
}

/* A prctl(2) whose answer is its result; a kernel that does not know it answers -EINVAL. */
static int ask_prctl(struct inside *in, struct compel_task *thread, int option, uint64_t bit,
		     uint64_t *valid, __u32 *ret_value)
{
	int64_t val;
	int ret = call(in, thread, &val, SYS_prctl, (uint64_t)option, 0, 0, 0);

	if (ret < 0 || val < 0)
		return ret;
	*ret_value = (__u32)val;
	*valid |= bit;
	return 0;
}

static int ask_umask(struct inside *in, struct rec_task *rec)
{
	int64_t mask, again;

	/* There is no way to look at it without changing it; nobody of the process runs meanwhile.
	 */
	int ret = call(in, &in->leader, &mask, SYS_umask, 077, 0, 0, 0);
	if (ret == 0)
		ret = call(in, &in->leader, &again, SYS_umask, (uint64_t)mask, 0, 0, 0);
	if (ret < 0)
		return ret;
	rec->umask = (__u32)mask;
	rec->hdr.valid |= RV_TASK_STATUS;
	return 0;
}

static int ask_subreaper(struct inside *in, struct rec_task *rec)
{
	int64_t val;
	int subreaper = 0;
	int ret = call(in, &in->leader, &val, SYS_prctl, PR_GET_CHILD_SUBREAPER,
		       REMOTE(in, subreaper), 0, 0);

	if (ret < 0 || val < 0)
		return ret;
	ret = fetch(in, REMOTE(in, subreaper), &subreaper, sizeof(subreaper));
	rec->child_subreaper = !!subreaper;
	rec->hdr.valid |= RV_TASK_SUBREAPER;
	return ret;
}

static int ask_task(struct inside *in)
{
	struct rec_task rec = { .hdr = header(in, REC_TASK, sizeof(rec), in->task->pid) };
	uint64_t need = in->need->task;
	uint64_t valid = 0;
	int ret = 0;

	if (need & RV_TASK_DUMPABLE)
		ret = ask_prctl(in, &in->leader, PR_GET_DUMPABLE, RV_TASK_DUMPABLE, &valid,
				&rec.dumpable);
	if (ret == 0 && (need & RV_TASK_THP))
		ret = ask_prctl(in, &in->leader, PR_GET_THP_DISABLE, RV_TASK_THP, &valid,
				&rec.thp_disabled);
	if (ret == 0 && (need & RV_TASK_SUBREAPER))
		ret = ask_subreaper(in, &rec);
	if (ret == 0 && (need & RV_TASK_STATUS))
		ret = ask_umask(in, &rec);
	rec.hdr.valid |= valid;
	return ret < 0 ? ret : emit(in, &rec.hdr);
}

static int ask_mm(struct inside *in)
{
	struct rec_mm rec = { .hdr = header(in, REC_MM, sizeof(rec), in->task->pid) };
	int64_t brk;

	/* An address that cannot be the new end: brk(2) answers with the present one. */
	int ret = call(in, &in->leader, &brk, SYS_brk, 0, 0, 0, 0);
	if (ret < 0)
		return ret;
	rec.brk = (unsigned long)brk;
	rec.hdr.valid = RV_MM_BRK;
	return emit(in, &rec.hdr);
}

static int ask_process(struct inside *in)
{
	int ret = 0;

	if (in->need->sigactions)
		ret = ask_sigactions(in);
	if (ret == 0 && in->need->itimers)
		ret = ask_itimers(in);
	for (size_t i = 0; i < in->need->nr_timer_ids && ret == 0; i++)
		ret = ask_ptimer(in, in->need->timer_ids[i]);
	if (ret == 0 && (in->need->task & INSIDE_TASK))
		ret = ask_task(in);
	if (ret == 0 && (in->need->mm & INSIDE_MM))
		ret = ask_mm(in);
	return ret;
}

/* ---- Of a thread ---- */

/* Calls that write their answers to memory: all are made before it is read. */
static int ask_by_memory(struct inside *in, struct compel_task *thread, struct rec_thread *rec)
{
	struct {
		uint64_t bit;
		long nr;
		uint64_t args[2];
	} const asks[] = {
		{ RV_THREAD_SAS, SYS_sigaltstack, { 0, REMOTE(in, thread.sas) } },
		{ RV_THREAD_CTID, SYS_prctl, { PR_GET_TID_ADDRESS, REMOTE(in, thread.ctid) } },
		{ RV_THREAD_PDEATH,
		  SYS_prctl,
		  { PR_GET_PDEATHSIG, REMOTE(in, thread.pdeath_sig) } },
	};
	__typeof__(((struct scratch *)0)->thread) answer;
	uint64_t valid = 0;
	int64_t val;

	for (size_t i = 0; i < ARRAY_SIZE(asks); i++) {
		if (!(in->need->thread & asks[i].bit))
			continue;
		int ret =
			call(in, thread, &val, asks[i].nr, asks[i].args[0], asks[i].args[1], 0, 0);
		if (ret < 0)
			return ret;
		/* PR_GET_TID_ADDRESS needs CONFIG_CHECKPOINT_RESTORE. */
		valid |= val < 0 ? 0 : asks[i].bit;
	}
	if (!valid)
		return 0;
	int ret = fetch(in, REMOTE(in, thread), &answer, sizeof(answer));
	if (ret < 0)
		return ret;
	if (valid & RV_THREAD_SAS) {
		/* Whether it stands on that stack now shows in its registers. */
		rec->sas_flags = (__u32)answer.sas.ss_flags & ~(__u32)SS_ONSTACK;
		rec->sas_sp = (uintptr_t)answer.sas.ss_sp;
		rec->sas_size = answer.sas.ss_size;
	}
	if (valid & RV_THREAD_CTID)
		rec->clear_child_tid = answer.ctid;
	if (valid & RV_THREAD_PDEATH)
		rec->pdeath_sig = (__u32)answer.pdeath_sig;
	rec->hdr.valid |= valid;
	return 0;
}

static int ask_thread(struct inside *in, struct compel_task *thread)
{
	/* The tail is empty: offset and size of the struct are those of a record. */
	struct rec_thread rec = { .hdr = header(in, REC_THREAD, sizeof(rec), thread->tid) };
	uint64_t valid = 0;
	__u32 slack = 0;

	_Static_assert(sizeof(rec) % 8 == 0, "records are multiples of eight bytes");
	int ret = ask_by_memory(in, thread, &rec);
	if (ret == 0 && (in->need->thread & RV_THREAD_SECUREBITS))
		ret = ask_prctl(in, thread, PR_GET_SECUREBITS, RV_THREAD_SECUREBITS, &valid,
				&rec.securebits);
	/* The result is an int: a longer slack looks like a failure. */
	if (ret == 0 && (in->need->thread & RV_THREAD_SLACK))
		ret = ask_prctl(in, thread, PR_GET_TIMERSLACK, RV_THREAD_SLACK, &valid, &slack);
	if (ret < 0)
		return ret;
	rec.timerslack_ns = slack;
	rec.hdr.valid |= valid;
	return emit(in, &rec.hdr);
}

/* ---- Borrowing ---- */

static int borrow(struct inside *in, struct compel_task *thread, pid_t tid, uint64_t insn)
{
	const struct compel_prepare_opts opts = {
		.options = FREEZE_PTRACE_OPTIONS,
		.seccomp = in->need->no_seccomp ? COMPEL_SECCOMP_NONE : COMPEL_SECCOMP_ASK,
		.insn = insn,
	};
	struct compel_error ce;

	return err_compel(in->err, compel_prepare(thread, tid, &opts, &ce), &ce);
}

/* Keeps the first failure, which is described, and describes that of giving back only if none. */
static int give_back(struct inside *in, struct compel_task *thread, int ret)
{
	struct compel_error ce;
	int finish = compel_finish(thread, &ce);

	return ret < 0 ? ret : err_compel(in->err, finish, &ce);
}

static int ask_other_threads(struct inside *in)
{
	for (size_t i = 1; i < in->task->threads.n; i++) {
		struct compel_task thread;
		int ret = borrow(in, &thread, in->task->threads.v[i].tid, in->leader.insn);

		if (ret == 0)
			ret = give_back(in, &thread, ask_thread(in, &thread));
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int open_scratch(struct inside *in)
{
	struct compel_error ce;
	int ret = compel_scratch_open(&in->leader, COMPEL_SCRATCH_MAP, sizeof(struct scratch),
				      &in->area, &ce);

	return err_compel(in->err, ret, &ce);
}

static int close_scratch(struct inside *in, int ret)
{
	struct compel_error ce;
	int close = compel_scratch_close(&in->leader, &in->area, &ce);

	return ret < 0 ? ret : err_compel(in->err, close, &ce);
}

static bool needs_nothing(const struct inside_need *need)
{
	return !need->sigactions && !need->itimers && !need->nr_timer_ids &&
	       !(need->task & INSIDE_TASK) && !(need->mm & INSIDE_MM) &&
	       !(need->thread & INSIDE_THREAD);
}

int inside_collect(const struct frozen_task *task, const struct inside_need *need,
		   struct rec_sink *sink, struct err *err)
{
	struct inside in = { .task = task, .need = need, .sink = sink, .err = err };

	if (needs_nothing(need))
		return 0;
	int ret = borrow(&in, &in.leader, task->pid, 0);
	if (ret < 0)
		return err_wrap(err, ret, "task %d", task->pid);
	ret = open_scratch(&in);
	if (ret == 0) {
		ret = ask_process(&in);
		if (ret == 0 && (need->thread & INSIDE_THREAD))
			ret = ask_thread(&in, &in.leader);
		if (ret == 0 && (need->thread & INSIDE_THREAD))
			ret = ask_other_threads(&in);
		ret = close_scratch(&in, ret);
	}
	ret = give_back(&in, &in.leader, ret);
	return err_wrap(err, ret, "task %d", task->pid);
}
