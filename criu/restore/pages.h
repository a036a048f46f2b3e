/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page contents on their way from the image into memory, in few large reads.
 */
#ifndef CRIB_RESTORE_PAGES_H
#define CRIB_RESTORE_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/err.h"
#include "model/snapshot.h"

/* Pages that have contents: which ones of which pages file. Same place there: same contents. */
struct page_extent {
	uint64_t vaddr;
	uint64_t nr_pages;
	uint64_t off; /* bytes */
	uint32_t pages_id;
};

struct page_extents {
	ARRAY(struct page_extent) v; /* ascending, not overlapping */
};

/* Appends; joined with the last one where both are continued. */
void page_extents_add(struct arena *arena, struct page_extents *extents, uint64_t page_size,
		      const struct page_extent *extent);

/*
 * Appends what @task has at [@start, @end), a part of one of its ranges that is no guard region.
 * Where it is shared with another task, the extent is that one's. 0, or -EBADMSG.
 */
int page_extents_resolve(const struct snapshot *snap, const struct task *task, uint64_t start,
			 uint64_t end, struct arena *arena, struct page_extents *extents,
			 struct err *err);

/* Appends to @result what @over has, and what @base has elsewhere. */
void page_extents_overlay(const struct page_extents *base, const struct page_extents *over,
			  uint64_t page_size, struct arena *arena, struct page_extents *result);

/*
 * A walk over what two sets have in a range of addresses: each step is a span within which neither
 * changes. page_walk_begin(); while (page_walk_step(&walk, &span)) ...
 */
struct page_span {
	uint64_t start, end;
	const struct page_extent *a, *b; /* NULL: no page there */
};

struct page_walk {
	const struct page_extents *sets[2];
	size_t index[2];
	uint64_t pos, end, page_size;
};

struct page_walk page_walk_begin(const struct page_extents *a, const struct page_extents *b,
				 uint64_t start, uint64_t end, uint64_t page_size);
bool page_walk_step(struct page_walk *walk, struct page_span *span);
/* True if both have the same pages. */
bool page_span_is_same(const struct page_span *span);

/* Index of the first range of @mm that ends above @addr; mm->pages.n: there is none. */
size_t page_ranges_first_above(const struct mm *mm, uint64_t addr, uint64_t page_size);

/* Bytes of a pages file and where in memory they go. */
struct page_read {
	uint32_t pages_id;
	uint64_t off, addr, size; /* bytes */
};

struct page_reads {
	ARRAY(struct page_read) v;
};

/* Sorts by place in the files and joins what is continued in both. */
void page_reads_sort(struct page_reads *reads);

/* Sorts @reads and does them. The memory is writable. 0 or -errno. */
int page_reads_run(struct page_reads *reads, int images_fd, struct err *err);

#endif /* CRIB_RESTORE_PAGES_H */
