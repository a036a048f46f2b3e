/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Questions and answers: the system calls that a need takes, and the records that come of them.
 */
#ifndef CRIB_COLLECT_INSIDE_ASK_H
#define CRIB_COLLECT_INSIDE_ASK_H

#include "base/arena.h"
#include "collect/inside/inside.h"

/* One system call, and its answer. */
struct ask {
	long nr; /* COMPEL_NO_CALL: this is not asked */
	uint64_t args[4];
	int8_t out;  /* the argument that says where in memory the answer goes; -1: none does */
	uint32_t at; /* offset of that answer in the memory of the process */
	int64_t val; /* what the call returned, or the target's -errno */
};

/* Questions that stand in a row, asked from the first to the last. */
struct asks {
	struct ask *v;
	size_t n, next;
};

/*
 * All of one process. Threads share what the process is asked, so any of them can make those calls;
 * what a thread is asked, only that thread can.
 */
struct ask_process {
	const struct inside_need *need;
	struct asks process;
	struct asks *threads; /* as in need->task->threads */
	size_t memory;        /* bytes that the answers take */
};

/* Finds the questions. Everything is in @arena. */
void ask_prepare(struct ask_process *ask, const struct inside_need *need, struct arena *arena);

/*
 * The next question for the thread in place @thread: one of its own, else, if it is @any, one of
 * the process that no thread has been given yet. NULL: there is none.
 */
struct ask *ask_next(struct ask_process *ask, size_t thread, bool any);

/* Makes records of the answers. @memory: ask->memory bytes that the calls have written. */
int ask_emit(const struct ask_process *ask, const void *memory, struct rec_sink *sink,
	     struct err *err);

#endif /* CRIB_COLLECT_INSIDE_ASK_H */
