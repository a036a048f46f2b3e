// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remote system calls that ask frozen processes about themselves, see inside.h. All threads of all
 * processes are borrowed and then asked in rounds, one question each, because waking threads is
 * what costs. The questions of a process are spread over its threads.
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

/* Where nothing more can be mapped (RLIMIT_AS, the number of mappings), stacks serve. */
static int open_stacks(struct inside *in, struct compel_error *ce)
{
	for (size_t i = 0; i < in->n; i++) {
		int ret = in->leaders[i]->ret;

		if (ret == 0)
			continue;
		if (ret == -ESRCH || ret == -ETIMEDOUT)
			return ret;
		ret = compel_scratch_open(in->leaders[i], COMPEL_SCRATCH_STACK,
					  in->processes[i].ask.memory, &in->scratches[i], ce);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int open_memory(struct inside *in)
{
	struct compel_error ce;

	for (size_t i = 0; i < in->n; i++)
		in->scratches[i] = (struct compel_scratch){
			.kind = COMPEL_SCRATCH_MAP,
			.size = in->processes[i].ask.memory ? in->processes[i].ask.memory : 1,
		};
	int ret = compel_scratch_open_many(in->leaders, in->n, in->scratches, &ce);
	if (ret < 0)
		ret = open_stacks(in, &ce);
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

/* One question for every thread that has one left, or whose process has. Returns their number. */
static size_t pick_round(struct inside *in)
{
	size_t n = 0;

	for (size_t i = 0; i < in->n; i++) {
		struct process *process = &in->processes[i];

		for (size_t t = 0; t < process->nr_threads; t++) {
			struct compel_task *task = &process->threads[t];
			struct ask *ask = ask_next(&process->ask, t);

			if (!ask)
				continue;
			task->call = (struct compel_call){ .nr = ask->nr };
			for (size_t a = 0; a < ARRAY_SIZE(ask->args); a++)
				task->call.args[a] = ask->args[a];
			if (ask->out >= 0)
				task->call.args[ask->out] = in->scratches[i].addr + ask->at;
			in->round[n] = task;
			in->asks[n++] = ask;
		}
	}
	return n;
}

static int ask_all(struct inside *in)
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
			ret = ask_all(&in);
		if (ret == 0)
			ret = ask_umasks(&in, sink);
		if (ret == 0)
			ret = emit_answers(&in, sink);
		ret = give_back(&in, close_memory(&in, ret));
	}
	arena_fini(&in.arena);
	return ret;
}
