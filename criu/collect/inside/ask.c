// SPDX-License-Identifier: GPL-2.0-only
/*
 * Questions and answers, see ask.h. Each question has its place in a row, by which its answer is
 * found again.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "collect/inside/ask.h"

#ifndef PR_GET_THP_DISABLE
#define PR_GET_THP_DISABLE 42
#endif
#ifndef PR_GET_TID_ADDRESS
#define PR_GET_TID_ADDRESS 40
#endif
#define MEMBARRIER_GET_REGISTRATIONS (1 << 9) /* Linux 6.3 */

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

enum { NR_ITIMERS = 3, ANSWER_ALIGN = 16 };

/* Places in the row of a process. */
enum {
	Q_SIGACTION,
	Q_ITIMER = Q_SIGACTION + REC_NR_SIGNALS,
	Q_DUMPABLE = Q_ITIMER + NR_ITIMERS,
	Q_THP,
	Q_SUBREAPER,
	Q_MEMBARRIER,
	Q_BRK,
	Q_TIMER, /* two for each POSIX timer: its time, then its overrun */
};

/* Places in the row of a thread. */
enum { Q_SAS, Q_CTID, Q_PDEATH, Q_SECUREBITS, Q_SLACK, Q_THREAD_MAX };

/* ---- Questions ---- */

static void row_init(struct asks *row, size_t n, struct arena *arena)
{
	*row = (struct asks){ .v = ARENA_ARRAY(arena, struct ask, n), .n = n };
	for (size_t i = 0; i < n; i++)
		row->v[i].nr = COMPEL_NO_CALL;
}

static struct ask *put(struct asks *row, size_t place, long nr, uint64_t a, uint64_t b, uint64_t c,
		       uint64_t d)
{
	row->v[place] = (struct ask){ .nr = nr, .args = { a, b, c, d }, .out = -1 };
	return &row->v[place];
}

/* The answer is @size bytes that argument @out points to. */
static void answer_in_memory(struct ask_process *ask, struct ask *question, int8_t out, size_t size)
{
	question->out = out;
	question->at = (uint32_t)ask->memory;
	ask->memory += ALIGN_UP(size, (size_t)ANSWER_ALIGN);
}

static void put_sigactions(struct ask_process *ask)
{
	for (unsigned int i = 0; i < REC_NR_SIGNALS; i++) {
		if (i + 1 == SIGKILL || i + 1 == SIGSTOP)
			continue; /* always SIG_DFL, without flags */
		struct ask *q = put(&ask->process, Q_SIGACTION + i, SYS_rt_sigaction, i + 1, 0, 0,
				    REC_NR_SIGNALS / 8);
		answer_in_memory(ask, q, 2, sizeof(struct kernel_sigaction));
	}
}

static void put_timers(struct ask_process *ask)
{
	const struct inside_need *need = ask->need;

	for (unsigned int i = 0; i < NR_ITIMERS && need->itimers; i++)
		answer_in_memory(ask, put(&ask->process, Q_ITIMER + i, SYS_getitimer, i, 0, 0, 0),
				 1, sizeof(struct kernel_itimerval));
	for (size_t i = 0; i < need->nr_timer_ids; i++) {
		uint32_t id = need->timer_ids[i];
		size_t place = Q_TIMER + 2 * i;

		answer_in_memory(ask, put(&ask->process, place, NR_TIMER_GETTIME, id, 0, 0, 0), 1,
				 sizeof(struct kernel_itimerspec));
		put(&ask->process, place + 1, SYS_timer_getoverrun, id, 0, 0, 0);
	}
}

static void put_process(struct ask_process *ask)
{
	const struct inside_need *need = ask->need;
	struct asks *row = &ask->process;

	if (need->sigactions)
		put_sigactions(ask);
	put_timers(ask);
	if (need->rec_task & RV_TASK_DUMPABLE)
		put(row, Q_DUMPABLE, SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0);
	if (need->rec_task & RV_TASK_THP)
		put(row, Q_THP, SYS_prctl, PR_GET_THP_DISABLE, 0, 0, 0);
	if (need->rec_task & RV_TASK_SUBREAPER)
		answer_in_memory(ask,
				 put(row, Q_SUBREAPER, SYS_prctl, PR_GET_CHILD_SUBREAPER, 0, 0, 0),
				 1, sizeof(int));
	if (need->rec_task & RV_TASK_MEMBARRIER)
		put(row, Q_MEMBARRIER, SYS_membarrier, MEMBARRIER_GET_REGISTRATIONS, 0, 0, 0);
	/* An address that cannot be the new end: brk(2) answers with the present one. */
	if (need->mm & RV_MM_BRK)
		put(row, Q_BRK, SYS_brk, 0, 0, 0, 0);
}

static void put_thread(struct ask_process *ask, struct asks *row)
{
	uint64_t need = ask->need->thread;

	if (need & RV_THREAD_SAS)
		answer_in_memory(ask, put(row, Q_SAS, SYS_sigaltstack, 0, 0, 0, 0), 1,
				 sizeof(stack_t));
	if (need & RV_THREAD_CTID)
		answer_in_memory(ask, put(row, Q_CTID, SYS_prctl, PR_GET_TID_ADDRESS, 0, 0, 0), 1,
				 sizeof(unsigned long));
	if (need & RV_THREAD_PDEATH)
		answer_in_memory(ask, put(row, Q_PDEATH, SYS_prctl, PR_GET_PDEATHSIG, 0, 0, 0), 1,
				 sizeof(int));
	if (need & RV_THREAD_SECUREBITS)
		put(row, Q_SECUREBITS, SYS_prctl, PR_GET_SECUREBITS, 0, 0, 0);
	if (need & RV_THREAD_SLACK)
		put(row, Q_SLACK, SYS_prctl, PR_GET_TIMERSLACK, 0, 0, 0);
}

void ask_prepare(struct ask_process *ask, const struct inside_need *need, struct arena *arena)
{
	size_t nr_threads = need->task->threads.n;

	*ask = (struct ask_process){ .need = need };
	row_init(&ask->process, Q_TIMER + 2 * need->nr_timer_ids, arena);
	put_process(ask);
	ask->threads = ARENA_ARRAY(arena, struct asks, nr_threads);
	for (size_t i = 0; i < nr_threads && (need->thread & INSIDE_THREAD); i++) {
		row_init(&ask->threads[i], Q_THREAD_MAX, arena);
		put_thread(ask, &ask->threads[i]);
	}
}

static struct ask *take_next(struct asks *row)
{
	while (row->next < row->n) {
		struct ask *ask = &row->v[row->next++];

		if (ask->nr != COMPEL_NO_CALL)
			return ask;
	}
	return NULL;
}

struct ask *ask_next(struct ask_process *ask, size_t thread, bool any)
{
	struct ask *own = take_next(&ask->threads[thread]);

	return own || !any ? own : take_next(&ask->process);
}

/* ---- Answers ---- */

struct reply {
	const struct ask_process *ask;
	const char *memory;
	struct rec_sink *sink;
	struct err *err;
};

static struct rec_hdr header(const struct reply *reply, enum rec_type type, size_t size, pid_t tid)
{
	return (struct rec_hdr){ .type = type,
				 .len = (__u32)size,
				 .pid = (__u32)reply->ask->need->task->pid,
				 .tid = (__u32)tid };
}

static int emit(const struct reply *reply, const struct rec_hdr *rec)
{
	return reply->sink->emit(reply->sink, rec, reply->err);
}

/* What the call has written. */
static void fetch(const struct reply *reply, const struct ask *ask, void *ret_data, size_t size)
{
	memcpy(ret_data, reply->memory + ask->at, size);
}

static const struct ask *of_process(const struct reply *reply, size_t place)
{
	return &reply->ask->process.v[place];
}

/* Kernels that do not know a question answer with an error. */
static bool is_answered(const struct ask *ask)
{
	return ask->nr != COMPEL_NO_CALL && ask->val >= 0;
}

static uint64_t mask_of(const struct kernel_sigaction *action)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_SIZE(action->mask); i++)
		mask |= (uint64_t)action->mask[i] << (i * 8 * sizeof(action->mask[0]) % 64);
	return mask;
}

static int emit_sigactions(const struct reply *reply)
{
	pid_t pid = reply->ask->need->task->pid;
	struct rec_sigactions rec = { .hdr = header(reply, REC_SIGACTIONS, sizeof(rec), pid) };

	for (unsigned int i = 0; i < REC_NR_SIGNALS; i++) {
		const struct ask *ask = of_process(reply, Q_SIGACTION + i);
		struct kernel_sigaction action;

		if (ask->nr == COMPEL_NO_CALL)
			continue;
		if (ask->val < 0)
			return err_ret(reply->err, (int)ask->val, "rt_sigaction of signal %u",
				       i + 1);
		fetch(reply, ask, &action, sizeof(action));
		rec.action[i].handler = action.handler;
		rec.action[i].flags = action.flags;
		rec.action[i].restorer = action.restorer;
		rec.action[i].mask = mask_of(&action);
	}
	return emit(reply, &rec.hdr);
}

static int emit_itimers(const struct reply *reply)
{
	pid_t pid = reply->ask->need->task->pid;
	struct rec_itimers rec = { .hdr = header(reply, REC_ITIMERS, sizeof(rec), pid) };

	for (unsigned int i = 0; i < NR_ITIMERS; i++) {
		const struct ask *ask = of_process(reply, Q_ITIMER + i);
		struct kernel_itimerval timer;

		if (ask->val < 0)
			return err_ret(reply->err, (int)ask->val, "getitimer %u", i);
		fetch(reply, ask, &timer, sizeof(timer));
		rec.timer[i].value_us =
			(uint64_t)timer.value_sec * 1000000 + (uint64_t)timer.value_usec;
		rec.timer[i].interval_us =
			(uint64_t)timer.interval_sec * 1000000 + (uint64_t)timer.interval_usec;
	}
	return emit(reply, &rec.hdr);
}

static int emit_ptimer(const struct reply *reply, size_t i)
{
	const struct inside_need *need = reply->ask->need;
	const struct ask *time = of_process(reply, Q_TIMER + 2 * i), *overrun = time + 1;
	struct rec_ptimer rec = {
		.hdr = header(reply, REC_PTIMER, sizeof(rec), need->task->pid),
		.id = need->timer_ids[i],
	};
	struct kernel_itimerspec spec;

	if (time->val < 0)
		return err_ret(reply->err, (int)time->val, "timer_gettime of timer %u", rec.id);
	if (overrun->val < 0)
		return err_ret(reply->err, (int)overrun->val, "timer_getoverrun of timer %u",
			       rec.id);
	fetch(reply, time, &spec, sizeof(spec));
	rec.overrun = (__u32)overrun->val;
	rec.value_ns = (uint64_t)spec.value_sec * 1000000000 + (uint64_t)spec.value_nsec;
	rec.interval_ns = (uint64_t)spec.interval_sec * 1000000000 + (uint64_t)spec.interval_nsec;
	rec.hdr.valid = RV_PTIMER_VALUE;
	return emit(reply, &rec.hdr);
}

/* An answer that is the call's result. */
static uint64_t take_result(const struct ask *ask, uint64_t bit, __u32 *ret_value)
{
	if (!is_answered(ask))
		return 0;
	*ret_value = (__u32)ask->val;
	return bit;
}

static int emit_task(const struct reply *reply)
{
	pid_t pid = reply->ask->need->task->pid;
	struct rec_task rec = { .hdr = header(reply, REC_TASK, sizeof(rec), pid) };
	const struct ask *subreaper = of_process(reply, Q_SUBREAPER);
	uint64_t valid = 0;
	int value;

	valid |= take_result(of_process(reply, Q_DUMPABLE), RV_TASK_DUMPABLE, &rec.dumpable);
	valid |= take_result(of_process(reply, Q_THP), RV_TASK_THP, &rec.thp_disabled);
	valid |= take_result(of_process(reply, Q_MEMBARRIER), RV_TASK_MEMBARRIER, &rec.membarrier);
	if (is_answered(subreaper)) {
		fetch(reply, subreaper, &value, sizeof(value));
		rec.child_subreaper = !!value;
		valid |= RV_TASK_SUBREAPER;
	}
	rec.hdr.valid = valid;
	return valid ? emit(reply, &rec.hdr) : 0;
}

static int emit_mm(const struct reply *reply)
{
	pid_t pid = reply->ask->need->task->pid;
	struct rec_mm rec = { .hdr = header(reply, REC_MM, sizeof(rec), pid) };

	rec.brk = (unsigned long)of_process(reply, Q_BRK)->val;
	rec.hdr.valid = RV_MM_BRK;
	return emit(reply, &rec.hdr);
}

static int emit_thread(const struct reply *reply, const struct asks *row, pid_t tid)
{
	/* The tail is empty: offset and size of the struct are those of a record. */
	struct rec_thread rec = { .hdr = header(reply, REC_THREAD, sizeof(rec), tid) };
	unsigned long ctid;
	int pdeath_sig;
	stack_t sas;
	uint64_t valid = 0;
	__u32 slack = 0;

	_Static_assert(sizeof(rec) % 8 == 0, "records are multiples of eight bytes");
	if (is_answered(&row->v[Q_SAS])) {
		fetch(reply, &row->v[Q_SAS], &sas, sizeof(sas));
		/* Whether it stands on that stack now shows in its registers. */
		rec.sas_flags = (__u32)sas.ss_flags & ~(__u32)SS_ONSTACK;
		rec.sas_sp = (uintptr_t)sas.ss_sp;
		rec.sas_size = sas.ss_size;
		valid |= RV_THREAD_SAS;
	}
	/* PR_GET_TID_ADDRESS needs CONFIG_CHECKPOINT_RESTORE. */
	if (is_answered(&row->v[Q_CTID])) {
		fetch(reply, &row->v[Q_CTID], &ctid, sizeof(ctid));
		rec.clear_child_tid = ctid;
		valid |= RV_THREAD_CTID;
	}
	if (is_answered(&row->v[Q_PDEATH])) {
		fetch(reply, &row->v[Q_PDEATH], &pdeath_sig, sizeof(pdeath_sig));
		rec.pdeath_sig = (__u32)pdeath_sig;
		valid |= RV_THREAD_PDEATH;
	}
	valid |= take_result(&row->v[Q_SECUREBITS], RV_THREAD_SECUREBITS, &rec.securebits);
	/* The result is an int: a longer slack looks like a failure. */
	valid |= take_result(&row->v[Q_SLACK], RV_THREAD_SLACK, &slack);
	rec.timerslack_ns = slack;
	rec.hdr.valid = valid;
	return emit(reply, &rec.hdr);
}

int ask_emit(const struct ask_process *ask, const void *memory, struct rec_sink *sink,
	     struct err *err)
{
	const struct reply reply = { .ask = ask, .memory = memory, .sink = sink, .err = err };
	const struct inside_need *need = ask->need;
	int ret = 0;

	if (need->sigactions)
		ret = emit_sigactions(&reply);
	if (ret == 0 && need->itimers)
		ret = emit_itimers(&reply);
	for (size_t i = 0; i < need->nr_timer_ids && ret == 0; i++)
		ret = emit_ptimer(&reply, i);
	if (ret == 0)
		ret = emit_task(&reply);
	if (ret == 0 && (need->mm & INSIDE_MM))
		ret = emit_mm(&reply);
	for (size_t i = 0; i < need->task->threads.n && ret == 0; i++)
		if (need->thread & INSIDE_THREAD)
			ret = emit_thread(&reply, &ask->threads[i], need->task->threads.v[i].tid);
	return ret;
}
