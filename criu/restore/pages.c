// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where page contents lie, and reading them.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "base/cleanup.h"
#include "image/image.h"
#include "restore/pages.h"

enum { IOV_ROOM = 512 };

void page_extents_add(struct arena *arena, struct page_extents *extents, uint64_t page_size,
		      const struct page_extent *extent)
{
	struct page_extent *last = extents->v.n ? &extents->v.v[extents->v.n - 1] : NULL;
	uint64_t bytes = last ? last->nr_pages * page_size : 0;

	if (last && last->pages_id == extent->pages_id && last->vaddr + bytes == extent->vaddr &&
	    last->off + bytes == extent->off)
		last->nr_pages += extent->nr_pages;
	else
		*array_push(arena, &extents->v) = *extent;
}

static uint64_t extent_end(const struct page_extent *extent, uint64_t page_size)
{
	return extent->vaddr + extent->nr_pages * page_size;
}

/* Index of the first extent that ends above @addr. */
static size_t first_extent_above(const struct page_extents *extents, uint64_t addr,
				 uint64_t page_size)
{
	size_t low = 0, high = extents->v.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (extent_end(&extents->v.v[mid], page_size) > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct page_walk page_walk_begin(const struct page_extents *a, const struct page_extents *b,
				 uint64_t start, uint64_t end, uint64_t page_size)
{
	return (struct page_walk){
		.sets = { a, b },
		.pos = start,
		.end = end,
		.page_size = page_size,
		.index = { first_extent_above(a, start, page_size),
			   first_extent_above(b, start, page_size) },
	};
}

/* The extent of one set where the walk is, or NULL; *@stop comes down to where that changes. */
static const struct page_extent *extent_here(struct page_walk *walk, int which, uint64_t *stop)
{
	const struct page_extents *set = walk->sets[which];
	size_t *index = &walk->index[which];

	while (*index < set->v.n && extent_end(&set->v.v[*index], walk->page_size) <= walk->pos)
		(*index)++;
	const struct page_extent *extent = *index < set->v.n ? &set->v.v[*index] : NULL;

	if (!extent)
		return NULL;
	bool here = extent->vaddr <= walk->pos;
	uint64_t edge = here ? extent_end(extent, walk->page_size) : extent->vaddr;

	if (edge < *stop)
		*stop = edge;
	return here ? extent : NULL;
}

bool page_walk_step(struct page_walk *walk, struct page_span *span)
{
	if (walk->pos >= walk->end)
		return false;
	*span = (struct page_span){ .start = walk->pos, .end = walk->end };
	span->a = extent_here(walk, 0, &span->end);
	span->b = extent_here(walk, 1, &span->end);
	walk->pos = span->end;
	return true;
}

bool page_span_is_same(const struct page_span *span)
{
	const struct page_extent *a = span->a, *b = span->b;

	return a && b && a->pages_id == b->pages_id && a->off - a->vaddr == b->off - b->vaddr;
}

void page_extents_overlay(const struct page_extents *base, const struct page_extents *over,
			  uint64_t page_size, struct arena *arena, struct page_extents *result)
{
	struct page_walk walk = page_walk_begin(base, over, 0, UINT64_MAX, page_size);
	struct page_span span;

	while (page_walk_step(&walk, &span)) {
		const struct page_extent *from = span.b ? span.b : span.a;

		if (!from)
			continue;
		struct page_extent part = {
			.vaddr = span.start,
			.nr_pages = (span.end - span.start) / page_size,
			.off = from->off + (span.start - from->vaddr),
			.pages_id = from->pages_id,
		};
		page_extents_add(arena, result, page_size, &part);
	}
}

size_t page_ranges_first_above(const struct mm *mm, uint64_t addr, uint64_t page_size)
{
	size_t low = 0, high = mm->pages.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct page_range *range = &mm->pages.v[mid];

		if (range->vaddr + range->nr_pages * page_size > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct resolver {
	const struct snapshot *snap;
	struct arena *arena;
	struct page_extents *extents;
	struct err *err;
};

static int resolve(struct resolver *r, const struct task *task, uint64_t start, uint64_t end,
		   size_t depth)
{
	uint64_t page_size = r->snap->page_size;
	const struct mm *mm = task->mm;
	int ret = 0;

	if (!mm || depth > r->snap->tasks.n)
		return err_set(r->err, -EBADMSG, "pages at %#llx: shared with task %d in a circle",
			       (unsigned long long)start, task->pid);
	for (size_t i = page_ranges_first_above(mm, start, page_size); start < end && !ret; i++) {
		const struct page_range *range = i < mm->pages.n ? &mm->pages.v[i] : NULL;

		if (!range || range->vaddr > start || range->guard)
			return err_set(r->err, -EBADMSG, "task %d: no page at %#llx to share",
				       task->pid, (unsigned long long)start);
		uint64_t range_end = range->vaddr + range->nr_pages * page_size;
		uint64_t stop = range_end < end ? range_end : end;

		if (range->shared_with) {
			ret = resolve(r, range->shared_with, start, stop, depth + 1);
		} else {
			struct page_extent extent = {
				.vaddr = start,
				.nr_pages = (stop - start) / page_size,
				.pages_id = mm->pages_id,
				.off = range->img_off + (start - range->vaddr),
			};
			page_extents_add(r->arena, r->extents, page_size, &extent);
		}
		start = stop;
	}
	return ret;
}

int page_extents_resolve(const struct snapshot *snap, const struct task *task, uint64_t start,
			 uint64_t end, struct arena *arena, struct page_extents *extents,
			 struct err *err)
{
	struct resolver resolver = { .snap = snap, .arena = arena, .extents = extents, .err = err };

	return resolve(&resolver, task, start, end, 0);
}

static int compare_reads(const void *a, const void *b)
{
	const struct page_read *left = a, *right = b;

	if (left->pages_id != right->pages_id)
		return left->pages_id < right->pages_id ? -1 : 1;
	return left->off < right->off ? -1 : left->off > right->off;
}

void page_reads_sort(struct page_reads *reads)
{
	size_t last = 0;

	if (!reads->v.n)
		return;
	qsort(reads->v.v, reads->v.n, sizeof(*reads->v.v), compare_reads);
	for (size_t i = 1; i < reads->v.n; i++) {
		struct page_read *here = &reads->v.v[i], *before = &reads->v.v[last];

		if (here->pages_id == before->pages_id && here->off == before->off + before->size &&
		    here->addr == before->addr + before->size)
			before->size += here->size;
		else
			reads->v.v[++last] = *here;
	}
	reads->v.n = last + 1;
}

/* Fills @iov from @off on, however many calls that takes. */
static int read_full(int fd, uint64_t off, struct iovec *iov, size_t n, uint32_t pages_id,
		     struct err *err)
{
	while (n) {
		ssize_t got = preadv(fd, iov, (int)n, (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_sys(err, "read %zu bytes at %llu of pages-%u.img to %p",
				       iov->iov_len, (unsigned long long)off, pages_id,
				       iov->iov_base);
		if (!got)
			return err_set(err, -EBADMSG, "pages-%u.img ends before byte %llu",
				       pages_id, (unsigned long long)off + iov->iov_len);
		off += (uint64_t)got;
		while (n && (size_t)got >= iov->iov_len) {
			got -= (ssize_t)iov->iov_len;
			iov++;
			n--;
		}
		if (n) {
			iov->iov_base = (char *)iov->iov_base + got;
			iov->iov_len -= (size_t)got;
		}
	}
	return 0;
}

/* Does the reads that follow each other in one file, as many as fit in one call. */
static int read_run(const struct page_read *reads, size_t left, int fd, size_t *ret_done,
		    struct err *err)
{
	struct iovec iov[IOV_ROOM];
	uint64_t off = reads->off;
	size_t n = 0;

	for (; n < left && n < IOV_ROOM; n++) {
		if (reads[n].pages_id != reads->pages_id || reads[n].off != off)
			break;
		iov[n].iov_base = (void *)(uintptr_t)reads[n].addr;
		iov[n].iov_len = (size_t)reads[n].size;
		off += reads[n].size;
	}
	*ret_done = n;
	return read_full(fd, reads->off, iov, n, reads->pages_id, err);
}

int page_reads_run(struct page_reads *reads, int images_fd, struct err *err)
{
	_cleanup_close_ int fd = -1;
	size_t done = 0;
	int ret = 0;

	page_reads_sort(reads);
	for (size_t i = 0; i < reads->v.n && !ret; i += done) {
		const struct page_read *read = &reads->v.v[i];

		if (!i || read[-1].pages_id != read->pages_id) {
			cleanup_close(&fd);
			fd = image_open(images_fd, IMG_PAGES, read->pages_id, err);
			if (fd < 0)
				return fd;
		}
		ret = read_run(read, reads->v.n - i, fd, &done, err);
	}
	return ret;
}
