/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Brings to the disk what has been written of an image, in a thread of its own, while more of it is
 * being written: the commit has less to wait for, and who writes, while a tree stands still, never
 * waits for the disk. What fails here costs only time.
 */
#ifndef CRIB_IMAGE_WRITEBACK_H
#define CRIB_IMAGE_WRITEBACK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"

struct writeback_range {
	int fd; /* owned */
	uint64_t off, len;
};

struct writeback {
	pthread_t thread;
	bool started; /* the thread runs */
	bool ending;
	size_t next; /* range that comes next */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct arena arena;
	ARRAY(struct writeback_range) ranges;
};

void writeback_init(struct writeback *wb);

/* Lets the thread begin with @len bytes of @fd, borrowed, from @off on. */
void writeback_begin(struct writeback *wb, int fd, uint64_t off, uint64_t len);

/* Waits until all has been begun, or with @drop only what is under way, and releases. */
void writeback_end(struct writeback *wb, bool drop);

#endif /* CRIB_IMAGE_WRITEBACK_H */
