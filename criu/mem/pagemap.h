/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages of a task have contents of their own: PAGEMAP_SCAN where the kernel has it (6.7),
 * the words of /proc/PID/pagemap elsewhere.
 */
#ifndef CRIB_MEM_PAGEMAP_H
#define CRIB_MEM_PAGEMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct pagemap {
	pid_t pid;
	int fd; /* /proc/PID/pagemap; owned */
	uint32_t page_size;
	bool no_scan;  /* the kernel has no PAGEMAP_SCAN */
	bool no_guard; /* nor guard regions in it */
};

enum page_kind {
	PAGE_PRIVATE, /* anonymous: touched, or copied on write */
	PAGE_GUARD,   /* MADV_GUARD_INSTALL */
};

/* A run of pages of one kind. 0 goes on, -errno ends the walk with that result. */
typedef int pagemap_fn(void *ctx, uint64_t start, uint64_t end, enum page_kind kind);

int pagemap_open(struct pagemap *pagemap, pid_t pid, struct err *err);
void pagemap_close(struct pagemap *pagemap);

/*
 * Calls @fn for the runs of [start, end), ascending; pages that are absent, that show a file's
 * contents, or that were only read and are the kernel's zero page are left out (the zero page only
 * where the kernel tells it). 0 or -errno.
 */
int pagemap_walk(struct pagemap *pagemap, uint64_t start, uint64_t end, pagemap_fn *fn, void *ctx,
		 struct err *err);

/*
 * Reads the words of @nr_pages pages from @start: physical identity to find shared pages with.
 * 0 or -errno.
 */
int pagemap_read(struct pagemap *pagemap, uint64_t start, uint64_t nr_pages, uint64_t *ret_words,
		 struct err *err);

/*
 * The frame that a word names when another task may have it mapped too; 0: none, mapped here
 * alone, or hidden from crib (no CAP_SYS_ADMIN).
 */
uint64_t pagemap_shared_frame(uint64_t word);

/*
 * True unless the page is shared copy-on-write with another address space: pinning it for reading
 * makes the kernel give this one a copy of its own.
 */
bool pagemap_may_be_pinned(uint64_t word);

#endif /* CRIB_MEM_PAGEMAP_H */
