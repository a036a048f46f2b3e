/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Many system calls for one stop: code in a mapping of its own makes them from a table, says in a
 * word of memory that it is done, and sends its thread a signal that the process ignores. A traced
 * thread stops with it; one whose tracer is gone goes home.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>

#include "remote.h"

/* As compel_arch.row_code has it; behind the last of them is the word that says: done. */
struct compel_row_entry {
	int64_t nr;
	uint64_t args[6];
	int64_t val;
};
_Static_assert(sizeof(struct compel_row_entry) * 2 == COMPEL_ROW_SIZE(1), "entries have 64 bytes");

int compel_row_write_code(const struct compel_task *task, uint64_t addr, struct compel_error *err)
{
	const uint8_t *code = compel_arch.row_code;

	/* ptrace writes where the target itself may only execute. */
	while (code < compel_arch.row_code_end) {
		size_t left = (size_t)(compel_arch.row_code_end - code);
		uintptr_t word = 0;

		memcpy(&word, code, left < sizeof(word) ? left : sizeof(word));
		int ret = compel_ptrace_named(PTRACE_POKEDATA, "PTRACE_POKEDATA", task->tid,
					      (void *)(uintptr_t)addr, (void *)word, err);
		if (ret < 0)
			return ret;
		code += left < sizeof(word) ? left : sizeof(word);
		addr += sizeof(word);
	}
	return 0;
}

int compel_row_signal(const struct compel_task *tasks, size_t nr)
{
	/* These are ignored where nobody has said otherwise. */
	static const int signos[] = { SIGURG, SIGWINCH, SIGCHLD };
	struct compel_proc proc;

	if (nr == 0 || compel_proc_read(tasks[0].tid, &proc) < 0)
		return 0;
	for (size_t i = 0; i < nr; i++)
		proc.caught |= tasks[i].sigmask;
	for (size_t i = 0; i < COMPEL_ARRAY_SIZE(signos); i++)
		if (!(proc.caught >> (signos[i] - 1) & 1))
			return signos[i];
	return 0;
}

static int row_check(struct compel_task *task, struct compel_error *err)
{
	const struct compel_row *row = task->row;

	if (!compel_arch.row_code || !row->code || !row->signo)
		return compel_fail(err, -EOPNOTSUPP, "thread %d: no code for calls in a row",
				   task->tid);
	if (task->phase > COMPEL_PHASE_CALL)
		return compel_fail(err, -ESRCH, "thread %d: system calls after it was lost",
				   task->tid);
	for (size_t i = 0; i < row->nr; i++)
		if (compel_is_refused(row->calls[i].nr))
			return compel_fail(err, -EINVAL,
					   "thread %d: system call %ld cannot be made in a "
					   "borrowed thread",
					   task->tid, row->calls[i].nr);
	return row->nr ? 0 : 1;
}

static int row_write_table(const struct compel_task *task, struct compel_error *err)
{
	const struct compel_row *row = task->row;
	struct compel_row_entry *table = calloc(row->nr + 1, sizeof(*table));

	if (!table)
		return compel_fail_errno(err, -ENOMEM, "memory for %zu system calls", row->nr);
	for (size_t i = 0; i < row->nr; i++) {
		table[i].nr = row->calls[i].nr;
		memcpy(table[i].args, row->calls[i].args, sizeof(table[i].args));
	}
	int ret = compel_mem_write(task->tid, row->table, table, COMPEL_ROW_SIZE(row->nr), err);
	free(table);
	return ret;
}

static int row_begin(struct compel_task *task, struct compel_error *err)
{
	const struct compel_row *row = task->row;
	const uint64_t args[6] = { row->table, row->nr, (uint64_t)row->signo };
	const struct compel_wait none = { .kind = COMPEL_WAIT_EVENT };
	struct compel_regs regs = task->regs;
	int ret = row_write_table(task, err);

	if (ret < 0)
		return compel_task_lost(task, ret);
	compel_arch.set_call(&regs, row->code, 0, args);
	ret = compel_enter(task, &regs, ~(1ULL << (row->signo - 1)), err);
	if (ret < 0)
		return ret;
	task->deadline = compel_deadline(task->timeout_ms);
	return compel_run_on(task, PTRACE_CONT, &none, err);
}

static bool row_is_done(const struct compel_task *task)
{
	uint64_t done, at = task->row->table + COMPEL_ROW_SIZE(task->row->nr - 1);

	return compel_mem_read(task->tid, at, &done, sizeof(done), NULL) == 0 && done;
}

/* Until all calls are made, or the time is over. */
static int row_wait(struct compel_task *task, struct compel_error *err)
{
	for (;;) {
		int status;
		int ret = compel_wait_status(task->tid, task->deadline, &status);

		if (ret == -ETIMEDOUT)
			return compel_recall(task, err);
		if (ret < 0)
			return compel_task_gone(task, err);

		struct compel_wait wait = compel_wait_decode(status);

		if (wait.kind == COMPEL_WAIT_SIGNAL && wait.signo == task->row->signo) {
			if (row_is_done(task))
				return 0;
			/* Somebody else's. It would have been ignored. */
			wait.kind = COMPEL_WAIT_EVENT;
		}
		ret = compel_run_on(task, PTRACE_CONT, &wait, err);
		if (ret < 0)
			return ret;
	}
}

static int row_take_results(struct compel_task *task, struct compel_row_entry *table,
			    struct compel_error *err)
{
	const struct compel_row *row = task->row;
	int ret = compel_mem_read(task->tid, row->table, table, COMPEL_ROW_SIZE(row->nr), err);

	for (size_t i = 0; i < row->nr && ret == 0; i++)
		row->calls[i].val = table[i].val;
	return ret;
}

static int row_end(struct compel_task *task, struct compel_error *err)
{
	struct compel_row_entry *table = calloc(task->row->nr + 1, sizeof(*table));

	if (!table)
		return compel_fail_errno(err, -ENOMEM, "memory for %zu system calls",
					 task->row->nr);
	int ret = row_take_results(task, table, err);
	free(table);
	return ret;
}

int compel_row_many(struct compel_task *const *tasks, const struct compel_row *rows, size_t nr,
		    struct compel_error *err)
{
	static compel_stage *const stages[] = { row_check, row_begin, row_wait, row_end, NULL };

	for (size_t i = 0; i < nr; i++) {
		tasks[i]->ret = 0;
		tasks[i]->row = &rows[i];
	}
	int first = compel_run_stages(tasks, nr, stages, err);

	for (size_t i = 0; i < nr; i++) {
		tasks[i]->ret = tasks[i]->ret > 0 ? 0 : tasks[i]->ret;
		tasks[i]->row = NULL;
	}
	return first;
}
