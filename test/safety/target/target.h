/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A target that works without pause and looks at itself. It is made of parts, each of which is one
 * behaviour that a dump could harm: parts have workers, threads or processes, that count on the
 * board what they found right.
 */
#ifndef CRIB_SAFETY_TARGET_H
#define CRIB_SAFETY_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "board.h"

struct part {
	const char *name;
	void (*start)(void); /* in the root; forks before any part has started a thread */
};

/* Real-time signals from SIGRTMIN on, which are blocked in every thread at its start. */
enum { QUEUED_SIGNAL, TIMER_SIGNAL, TARGET_SIGNALS };

/* Tables that end with a part without a name. */
extern const struct part process_parts[], thread_parts[], odd_parts[];

/* Ends the program before it is ready. */
_Noreturn void die(const char *what);

/* ---- the board ---- */

struct board_worker *worker_new(const char *name);
void worker_beat(struct board_worker *worker);
/* Says what is wrong and works no more. */
_Noreturn void worker_fail(const struct board_worker *worker, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A task that stays as long as the target does. */
void board_add_task(pid_t pid);

/* ---- processes and threads ---- */

/* Runs begin once and then step again and again, which does not block; ends with its parent. */
struct process {
	const char *name;
	void (*begin)(struct process *process);
	void (*step)(struct process *process);
	struct board_worker *worker; /* set by process_start(), as is pid */
	pid_t pid;
};

/* Forks it. @process must live on, here and for threads below. */
void process_start(struct process *process);

/* Runs step again and again, which may block. */
struct thread {
	const char *name;
	void (*begin)(struct thread *thread);
	void (*step)(struct thread *thread);
	struct board_worker *worker; /* set by thread_start() */
	void *data;
};

void thread_start(struct thread *thread);
/* In the root: once all processes are forked. */
void thread_start_later(struct thread *thread);

/* ---- small things ---- */

void nap_us(unsigned int us);
uint64_t now_us(void);
/* read() and write() of so many bytes, which nothing may interrupt. */
void read_exactly(const struct board_worker *worker, int fd, void *buf, size_t size);
void write_exactly(const struct board_worker *worker, int fd, const void *buf, size_t size);
void make_pipe(int fds[2]);
/* open() in the target's directory. */
int open_here(const char *name, int flags);

/* ---- memory with checksums ---- */

enum { PAGE = 4096 };

struct page {
	uint64_t generation, sum, words[PAGE / 8 - 2];
};

/* Fills the page, whose content follows from the numbers. */
void page_fill(struct page *page, uint64_t seed, uint64_t generation);
void page_check(const struct board_worker *worker, const struct page *page, uint64_t seed,
		uint64_t generation);
struct page *pages_map(size_t count, int flags, int fd);

/* Memory that was written before any process was forked and that all look at. */
void common_pages_make(void);
void common_pages_check(const struct board_worker *worker, size_t which);

#endif
