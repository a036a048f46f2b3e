// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remote system calls that ask frozen processes about themselves, see inside.h. Waking threads is
 * what costs, so all threads of all processes are borrowed and asked at the same time. Where code
 * can be mapped each thread answers all its questions in a row. Where not they are asked in rounds,
 * one question each, and those of a process are spread over its threads.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collect/inside/ask.h"
#include "collect/inside/inside.h"
#include "target/compel_err.h"

/* A process that is asked; [0] of its threads is the leader. */
struct process {
	struct ask_process ask;
	struct compel_task *threads;
	size_t nr_threads; /* borrowed: all, or the leader alone */
};

struct inside {
	struct arena arena;
	struct process *processes;
	size_t n;
	struct err *err;
	/* All borrowed threads; the leaders, one for each process; the others. */
	struct compel_task **tasks, **leaders, **others;
	size_t nr_tasks, nr_others;
	struct compel_text text;          /* where it was found last */
	struct compel_scratch *scratches; /* one for each leader */
	/* The present round: who is asked, and what. */
	struct compel_task **round;
	struct ask **asks;
};

/* Adds to a failure of many which process it was. */
static int failed(struct inside *in, int ret)
{
	for (size_t i = 0; i < in->n; i++)
		for (size_t t = 0; t < in->processes[i].nr_threads; t++)
			if (in->processes[i].threads[t].ret == ret)
				return err_wrap(in->err, ret, "task %d",
						in->processes[i].threads[0].tid);
	return ret;
}

/* ---- Borrowing ---- */

static void add_process(struct inside *in, const struct inside_need *need)
{
	struct process *process = &in->processes[in->n];

	ask_prepare(&process->ask, need, &in->arena);
	process->nr_threads = need->thread & INSIDE_THREAD ? need->task->threads.n : 1;
	process->threads = ARENA_ARRAY(&in->arena, struct compel_task, process->nr_threads);
	in->leaders[in->n++] = &process->threads[0];
	for (size_t i = 0; i < process->nr_threads; i++) {
		in->tasks[in->nr_tasks++] = &process->threads[i];
		if (i > 0)
			in->others[in->nr_others++] = &process->threads[i];
	}
}

static void add_processes(struct inside *in, const struct inside_need *needs, size_t n)
{
	size_t nr_threads = 0;

	for (size_t i = 0; i < n; i++)
		nr_threads += needs[i].task->threads.n;
	in->processes = ARENA_ARRAY(&in->arena, struct process, n);
	in->leaders = ARENA_ARRAY(&in->arena, struct compel_task *, n);
	in->scratches = ARENA_ARRAY(&in->arena, struct compel_scratch, n);
	in->tasks = ARENA_ARRAY(&in->arena, struct compel_task *, nr_threads);
	in->others = ARENA_ARRAY(&in->arena, struct compel_task *, nr_threads);
	in->round = ARENA_ARRAY(&in->arena, struct compel_task *, nr_threads);
	in->asks = ARENA_ARRAY(&in->arena, struct ask *, nr_threads);
	for (size_t i = 0; i < n; i++)
		if (inside_is_needed(&needs[i]))
			add_process(in, &needs[i]);
}

/*
 * One search serves all threads of a process. Where it finds no instruction, or a process that is
 * no more, preparing the first thread says so.
 */
static void init_process(struct inside *in, struct process *process)
{
	const struct inside_need *need = process->ask.need;
	pid_t pid = need->task->pid;
	struct compel_prepare_opts opts = {
		.options = FREEZE_PTRACE_OPTIONS,
		.seccomp = need->no_seccomp ? COMPEL_SECCOMP_NONE : COMPEL_SECCOMP_ASK,
	};

	if (compel_text_find(pid, need->text, need->nr_text, &in->text, NULL) == 0) {
		opts.insn = in->text.insn;
		opts.sigreturn = in->text.sigreturn;
	} else if (compel_insn_find(pid, need->text, need->nr_text, &opts.insn, NULL) < 0) {
		compel_insn_find_maps(pid, &opts.insn, NULL);
	}
	for (size_t i = process->nr_threads; i-- > 0;) {
		/* A place that there is once only. */
		if (i == 0)
			opts.stack = need->stack;
		compel_task_init(&process->threads[i], need->task->threads.v[i].tid, &opts);
	}
}

static int borrow(struct inside *in)
{
	struct compel_error ce;

	for (size_t i = 0; i < in->n; i++)
		init_process(in, &in->processes[i]);
	int ret = compel_prepare_many(in->tasks, in->nr_tasks, &ce);
	if (ret < 0) {
		failed(in, err_compel(in->err, ret, &ce));
		compel_finish_many(in->tasks, in->nr_tasks, NULL);
	}
	return ret;
}

/* ---- Memory for answers ---- */

/* With code there is a table for each thread behind the answers. */
static size_t memory_size(const struct ask_process *ask, enum compel_scratch_kind kind)
{
	size_t nr_asks = ask->process.n;

	for (size_t i = 0; i < ask->need->task->threads.n; i++)
		nr_asks += ask->threads[i].n;
	size_t tables = COMPEL_ROW_SIZE(nr_asks) + ask->need->task->threads.n * COMPEL_ROW_SIZE(0);
	return 1 + ask->memory + (kind == COMPEL_SCRATCH_CODE ? tables : 0);
}

/*
 * Code may be forbidden, as by SELinux (execmem). Where nothing more can be mapped at all
 * (RLIMIT_AS, the number of mappings) stacks serve. A stopped process cannot go home before it is
 * continued: until then nothing of ours is to be seen there if crib dies.
 */
static bool wants_kind(const struct inside *in, size_t process, enum compel_scratch_kind kind)
{
	return in->scratches[process].size == 0 &&
	       (kind == COMPEL_SCRATCH_STACK || !in->processes[process].ask.need->task->stop_signo);
}

/* Tries it where nothing of another kind could be had. */
static int open_kind(struct inside *in, enum compel_scratch_kind kind, struct compel_error *ce)
{
	struct compel_task **tasks = ARENA_ARRAY(&in->arena, struct compel_task *, in->n);
	struct compel_scratch *got = ARENA_ARRAY(&in->arena, struct compel_scratch, in->n);
	size_t *which = ARENA_ARRAY(&in->arena, size_t, in->n);
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		const struct process *process = &in->processes[i];

		if (!wants_kind(in, i, kind))
			continue;
		got[n].kind = kind;
		got[n].size = memory_size(&process->ask, kind);
		got[n].gap = process->ask.need->gap;
		got[n].shared = process->nr_threads > 1;
		which[n] = i;
		tasks[n++] = in->leaders[i];
	}
	int ret = compel_scratch_open_many(tasks, n, got, ce);
	for (size_t i = 0; i < n; i++)
		in->scratches[which[i]] = got[i];
	return ret;
}

static int open_memory(struct inside *in)
{
	static const enum compel_scratch_kind kinds[] = {
		COMPEL_SCRATCH_CODE,
		COMPEL_SCRATCH_MAP,
		COMPEL_SCRATCH_STACK,
	};
	struct compel_error ce;
	int ret = 0;

	/* Who has none gets the next kind; after the last one that is a failure. */
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (ret == -ESRCH || ret == -ETIMEDOUT)
			break;
		ret = open_kind(in, kinds[i], &ce);
	}
	for (size_t i = 0; i < in->n; i++)
		for (size_t t = 1; t < in->processes[i].nr_threads; t++)
			in->processes[i].threads[t].leave = in->scratches[i].leave;
	return ret < 0 ? failed(in, err_compel(in->err, ret, &ce)) : 0;
}

/* The first failure, which is described, is kept; later ones only count if there was none. */
static void keep_failure(struct inside *in, int *ret, int next, const struct compel_error *ce)
{
	if (*ret == 0 && next < 0)
		*ret = failed(in, err_compel(in->err, next, ce));
}

/* A thread that hangs in its call will need the memory when that ends. */
static void keep_memory_of_lost(struct inside *in)
{
	for (size_t i = 0; i < in->n; i++)
		for (size_t t = 1; t < in->processes[i].nr_threads; t++)
			if (in->processes[i].threads[t].ret == -ETIMEDOUT)
				in->scratches[i].size = 0;
}

/* The leaders' way home takes the memory away, so they come last: the others may need it. */
static int give_back(struct inside *in, int ret)
{
	struct compel_error ce;

	keep_failure(in, &ret, compel_finish_many(in->others, in->nr_others, &ce), &ce);
	keep_memory_of_lost(in);
	keep_failure(in, &ret, compel_scratch_close_many(in->leaders, in->n, in->scratches, &ce),
		     &ce);
	keep_failure(in, &ret, compel_finish_many(in->leaders, in->n, &ce), &ce);
	return ret;
}

/* ---- Asking ---- */

static void fill_call(const struct inside *in, size_t process, const struct ask *ask,
		      struct compel_call *ret_call)
{
	*ret_call = (struct compel_call){ .nr = ask->nr };
	for (size_t i = 0; i < ARRAY_SIZE(ask->args); i++)
		ret_call->args[i] = ask->args[i];
	if (ask->out >= 0)
		ret_call->args[ask->out] = in->scratches[process].addr + ask->at;
}

/* What a thread is asked in a row. */
struct row {
	struct compel_call *calls;
	struct ask **asks;
	size_t n;
};

static void fill_row(struct inside *in, size_t process, size_t thread, struct row *row)
{
	struct ask_process *ask = &in->processes[process].ask;
	bool leader = thread == 0;
	size_t max = ask->threads[thread].n + (leader ? ask->process.n : 0);
	struct ask *next;

	*row = (struct row){ ARENA_ARRAY(&in->arena, struct compel_call, max),
			     ARENA_ARRAY(&in->arena, struct ask *, max), 0 };
	while ((next = ask_next(ask, thread, leader))) {
		fill_call(in, process, next, &row->calls[row->n]);
		row->asks[row->n++] = next;
	}
}

static int row_signal(const struct process *process)
{
	return compel_row_signal(process->threads, process->nr_threads);
}

/* Asks the processes where that can be done. The others keep their questions. */
static int ask_rows(struct inside *in)
{
	struct compel_row *calls = ARENA_ARRAY(&in->arena, struct compel_row, in->nr_tasks);
	struct row *rows = ARENA_ARRAY(&in->arena, struct row, in->nr_tasks);
	struct compel_error ce;
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		const struct compel_scratch *scratch = &in->scratches[i];
		uint64_t table = scratch->addr + ALIGN_UP(in->processes[i].ask.memory, (size_t)8);
		size_t nr_threads = in->processes[i].nr_threads;
		int signo = scratch->code ? row_signal(&in->processes[i]) : 0;

		for (size_t t = 0; t < nr_threads && signo; t++) {
			fill_row(in, i, t, &rows[n]);
			calls[n] = (struct compel_row){ rows[n].calls, rows[n].n, scratch->code,
							table, signo };
			table += COMPEL_ROW_SIZE(rows[n].n);
			in->round[n++] = &in->processes[i].threads[t];
		}
	}
	int ret = compel_row_many(in->round, calls, n, &ce);
	if (ret < 0)
		return failed(in, err_compel(in->err, ret, &ce));
	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < rows[i].n; c++)
			rows[i].asks[c]->val = rows[i].calls[c].val;
	return 0;
}

/* One question for every thread that has one left, or whose process has. Returns their number. */
static size_t pick_round(struct inside *in)
{
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		struct process *process = &in->processes[i];

		for (size_t t = 0; t < process->nr_threads; t++) {
			struct ask *ask = ask_next(&process->ask, t, true);

			if (!ask)
				continue;
			fill_call(in, i, ask, &process->threads[t].call);
			in->round[n] = &process->threads[t];
			in->asks[n++] = ask;
		}
	}
	return n;
}

static int ask_rounds(struct inside *in)
{
	struct compel_error ce;

	for (size_t n; (n = pick_round(in));) {
		int ret = compel_syscall_many(in->round, n, &ce);

		if (ret < 0)
			return failed(in, err_compel(in->err, ret, &ce));
		for (size_t i = 0; i < n; i++)
			in->asks[i]->val = in->round[i]->call.val;
	}
	return 0;
}

static int emit_answers(struct inside *in, struct rec_sink *sink)
{
	struct compel_error ce;
	int ret = 0;

	for (size_t i = 0; i < in->n && ret == 0; i++) {
		struct process *process = &in->processes[i];
		size_t size = process->ask.memory;
		_cleanup_free_ char *memory = xzalloc(size);

		if (size)
			ret = compel_mem_read(process->threads[0].tid, in->scratches[i].addr,
					      memory, size, &ce);
		ret = err_compel(in->err, ret, &ce);
		if (ret == 0)
			ret = ask_emit(&process->ask, memory, sink, in->err);
		err_wrap(in->err, ret, "task %d", process->threads[0].tid);
	}
	return ret;
}

bool inside_is_needed(const struct inside_need *need)
{
	return need->sigactions || need->itimers || need->nr_timer_ids ||
	       (need->rec_task & INSIDE_TASK) || (need->mm & INSIDE_MM) ||
	       (need->thread & INSIDE_THREAD);
}

int inside_collect(const struct inside_need *needs, size_t n, struct rec_sink *sink,
		   struct err *err)
{
	struct inside in = { .err = err };

	add_processes(&in, needs, n);
	int ret = borrow(&in);
	if (ret == 0) {
		ret = open_memory(&in);
		if (ret == 0)
			ret = ask_rows(&in);
		if (ret == 0)
			ret = ask_rounds(&in);
		if (ret == 0)
			ret = emit_answers(&in, sink);
		ret = give_back(&in, ret);
	}
	arena_fini(&in.arena);
	return ret;
}
