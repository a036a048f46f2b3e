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
	/* All borrowed threads, those of one process behind its leader; and the leaders alone. */
	struct compel_task **tasks, **leaders;
	size_t nr_tasks;
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
	for (size_t i = 0; i < process->nr_threads; i++)
		in->tasks[in->nr_tasks++] = &process->threads[i];
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
	in->round = ARENA_ARRAY(&in->arena, struct compel_task *, nr_threads);
	in->asks = ARENA_ARRAY(&in->arena, struct ask *, nr_threads);
	for (size_t i = 0; i < n; i++)
		if (inside_is_needed(&needs[i]))
			add_process(in, &needs[i]);
}

/*
 * One search for the instruction serves all threads of a process. Where it finds none, or a process
 * that is no more, preparing the first thread says so.
 */
static void init_process(struct process *process)
{
	const struct inside_need *need = process->ask.need;
	struct compel_prepare_opts opts = {
		.options = FREEZE_PTRACE_OPTIONS,
		.seccomp = need->no_seccomp ? COMPEL_SECCOMP_NONE : COMPEL_SECCOMP_ASK,
	};

	if (compel_insn_find(need->task->pid, need->text, need->nr_text, &opts.insn, NULL) < 0)
		compel_insn_find_maps(need->task->pid, &opts.insn, NULL);
	for (size_t i = 0; i < process->nr_threads; i++)
		compel_task_init(&process->threads[i], need->task->threads.v[i].tid, &opts);
}

static int borrow(struct inside *in)
{
	struct compel_error ce;

	for (size_t i = 0; i < in->n; i++)
		init_process(&in->processes[i]);
	int ret = compel_prepare_many(in->tasks, in->nr_tasks, &ce);
	if (ret < 0) {
		failed(in, err_compel(in->err, ret, &ce));
		compel_finish_many(in->tasks, in->nr_tasks, NULL);
	}
	return ret;
}

/* The first failure, which is described, is kept; that of giving back only counts if none was. */
static int give_back(struct inside *in, int ret)
{
	struct compel_error ce;
	int finish = compel_finish_many(in->tasks, in->nr_tasks, &ce);

	if (ret == 0 && finish < 0)
		return failed(in, err_compel(in->err, finish, &ce));
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

/* Tries it where nothing of another kind could be had. */
static int open_kind(struct inside *in, enum compel_scratch_kind kind, struct compel_error *ce)
{
	struct compel_task **tasks = ARENA_ARRAY(&in->arena, struct compel_task *, in->n);
	struct compel_scratch *got = ARENA_ARRAY(&in->arena, struct compel_scratch, in->n);
	size_t *which = ARENA_ARRAY(&in->arena, size_t, in->n);
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		if (in->scratches[i].size)
			continue;
		got[n].kind = kind;
		got[n].size = memory_size(&in->processes[i].ask, kind);
		which[n] = i;
		tasks[n++] = in->leaders[i];
	}
	int ret = compel_scratch_open_many(tasks, n, got, ce);
	for (size_t i = 0; i < n; i++)
		in->scratches[which[i]] = got[i];
	return ret;
}

/*
 * Code may be forbidden, as by SELinux (execmem). Where nothing more can be mapped at all
 * (RLIMIT_AS, the number of mappings) stacks serve.
 */
static int open_memory(struct inside *in)
{
	static const enum compel_scratch_kind kinds[] = {
		COMPEL_SCRATCH_CODE,
		COMPEL_SCRATCH_MAP,
		COMPEL_SCRATCH_STACK,
	};
	struct compel_error ce;
	int ret = -EOPNOTSUPP;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && ret < 0; i++) {
		if (ret == -ESRCH || ret == -ETIMEDOUT)
			break;
		ret = open_kind(in, kinds[i], &ce);
	}
	return ret < 0 ? failed(in, err_compel(in->err, ret, &ce)) : 0;
}

static int close_memory(struct inside *in, int ret)
{
	struct compel_error ce;
	int close = compel_scratch_close_many(in->leaders, in->n, in->scratches, &ce);

	if (ret == 0 && close < 0)
		return failed(in, err_compel(in->err, close, &ce));
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

/* Asks the processes that have got code. The others keep their questions. */
static int ask_rows(struct inside *in)
{
	struct compel_row *calls = ARENA_ARRAY(&in->arena, struct compel_row, in->nr_tasks);
	struct row *rows = ARENA_ARRAY(&in->arena, struct row, in->nr_tasks);
	struct compel_error ce;
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		const struct compel_scratch *scratch = &in->scratches[i];
		uint64_t table = scratch->addr + ALIGN_UP(in->processes[i].ask.memory, (size_t)8);

		for (size_t t = 0; t < in->processes[i].nr_threads && scratch->code; t++) {
			fill_row(in, i, t, &rows[n]);
			calls[n] = (struct compel_row){ rows[n].calls, rows[n].n, scratch->code,
							table };
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

/*
 * There is no way to look at it without changing it; nobody of the process runs meanwhile. What was
 * changed is put back whatever became of the others. Only kernels before 4.7 do not tell it.
 */
static int ask_umasks(struct inside *in, struct rec_sink *sink)
{
	struct compel_task **changed = ARENA_ARRAY(&in->arena, struct compel_task *, in->n);
	struct compel_error ce;
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		if (!(in->processes[i].ask.need->rec_task & RV_TASK_STATUS))
			continue;
		in->leaders[i]->call = (struct compel_call){ .nr = SYS_umask, .args = { 077 } };
		changed[n++] = in->leaders[i];
	}
	int ret = err_compel(in->err, compel_syscall_many(changed, n, &ce), &ce);
	for (size_t i = 0; i < n; i++) {
		int64_t umask = changed[i]->call.val;

		if (changed[i]->ret < 0)
			umask = COMPEL_NO_CALL;
		changed[i]->call = (struct compel_call){
			.nr = umask < 0 ? COMPEL_NO_CALL : SYS_umask,
			.args = { (uint64_t)umask },
		};
	}
	int again = compel_syscall_many(changed, n, &ce);
	if (ret == 0)
		ret = err_compel(in->err, again, &ce);
	for (size_t i = 0; i < n && ret == 0; i++) {
		struct rec_task rec = {
			.hdr = { .type = REC_TASK,
				 .len = sizeof(rec),
				 .pid = (__u32)changed[i]->tid,
				 .tid = (__u32)changed[i]->tid,
				 .valid = RV_TASK_STATUS },
			.umask = (__u32)changed[i]->call.args[0],
		};

		ret = sink->emit(sink, &rec.hdr, in->err);
	}
	return ret;
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
			ret = ask_umasks(&in, sink);
		if (ret == 0)
			ret = emit_answers(&in, sink);
		ret = give_back(&in, close_memory(&in, ret));
	}
	arena_fini(&in.arena);
	return ret;
}
