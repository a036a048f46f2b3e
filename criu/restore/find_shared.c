// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comparison of the pages of parents and children, see find_shared.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "image/image.h"
#include "restore/find_shared.h"
#include "restore/pages.h"
#include "restore/stage_state.h"

enum { CHUNK = 256 * 1024 };

struct pages_file {
	uint32_t id;
	int fd;         /* -1: not open */
	uint8_t *bytes; /* CHUNK */
};

struct finder {
	struct snapshot *snap;
	int images_fd;
	struct pages_file own, other;
	struct arena arena; /* for what is needed within one task */
	struct err *err;
};

/* One task against the nearest one above it that has memory. */
struct pair {
	const struct task *task, *parent;
	ARRAY(struct page_range) found; /* the ranges of the task anew, in the snapshot's arena */
};

static const struct task *find_parent(const struct task *task)
{
	const struct task *parent = task->parent;

	while (parent && !parent->mm)
		parent = parent->parent;
	return parent;
}

bool find_shared_is_needed(const struct snapshot *snap)
{
	bool needed = false;

	for (size_t i = 0; i < snap->tasks.n; i++) {
		const struct task *task = snap->tasks.v[i];

		if (!task->mm)
			continue;
		needed = needed || find_parent(task);
		array_each(const struct page_range, range, &task->mm->pages)
			if (range->shared_with)
				return false;
	}
	return needed;
}

/* Appends a part of @range; joined with the last one where that goes on. */
static void add_part(struct finder *f, struct pair *pair, const struct page_range *range,
		     uint64_t at, uint64_t nr_pages, struct task *with)
{
	struct page_range *last = pair->found.n ? &pair->found.v[pair->found.n - 1] : NULL;
	uint64_t img_off = with ? 0 : range->img_off + (at - range->vaddr);
	uint64_t page_size = f->snap->page_size;

	if (last && !last->guard && last->shared_with == with &&
	    last->vaddr + last->nr_pages * page_size == at &&
	    (with || last->img_off + last->nr_pages * page_size == img_off)) {
		last->nr_pages += nr_pages;
		return;
	}
	*array_push(&f->snap->arena, &pair->found) = (struct page_range){
		.vaddr = at,
		.nr_pages = nr_pages,
		.shared_with = with,
		.img_off = img_off,
	};
}

static int read_chunk(struct finder *f, struct pages_file *file, uint32_t id, uint64_t off,
		      size_t len)
{
	if (file->fd < 0 || file->id != id) {
		cleanup_close(&file->fd);
		file->fd = image_open(f->images_fd, IMG_PAGES, id, f->err);
		file->id = id;
	}
	if (file->fd < 0)
		return file->fd;
	ssize_t got = io_pread(file->fd, file->bytes, len, (off_t)off);

	if (got < 0)
		return err_ret(f->err, (int)got, "read pages-%u.img", id);
	return (size_t)got == len ? 0 : err_set(f->err, -EBADMSG, "pages-%u.img is truncated", id);
}

/* A part of @range against what is at @there. */
static int compare(struct finder *f, struct pair *pair, const struct page_range *range,
		   const struct page_extent *there, struct task *with)
{
	uint64_t page_size = f->snap->page_size, size = there->nr_pages * page_size;
	uint64_t own_off = range->img_off + (there->vaddr - range->vaddr);

	for (uint64_t done = 0; done < size;) {
		size_t len = size - done < CHUNK ? (size_t)(size - done) : CHUNK;
		int ret = read_chunk(f, &f->own, pair->task->mm->pages_id, own_off + done, len);

		if (ret == 0)
			ret = read_chunk(f, &f->other, there->pages_id, there->off + done, len);
		if (ret < 0)
			return ret;
		for (size_t i = 0; i < len; i += page_size)
			add_part(f, pair, range, there->vaddr + done + i, 1,
				 memcmp(f->own.bytes + i, f->other.bytes + i, page_size) ? NULL :
											   with);
		done += len;
	}
	return 0;
}

static const struct vma *vma_at(const struct mm *mm, uint64_t addr)
{
	size_t low = 0, high = mm->vmas.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (mm->vmas.v[mid].end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low < mm->vmas.n && mm->vmas.v[low].start <= addr ? &mm->vmas.v[low] : NULL;
}

/* [@at, @end) of @range, which the parent has, too, in @theirs. */
static int compare_part(struct finder *f, struct pair *pair, const struct page_range *range,
			uint64_t at, uint64_t end, const struct page_range *theirs)
{
	struct task *with = theirs->shared_with ? theirs->shared_with : pair->parent->mm->owner;
	struct page_extents extents = { 0 };
	int ret = page_extents_resolve(f->snap, pair->parent, at, end, &f->arena, &extents, f->err);

	array_each(const struct page_extent, extent, &extents.v)
		if (ret == 0)
			ret = compare(f, pair, range, extent, with);
	return ret;
}

/* [@at, @end) of @range is in @vma, which is private. */
static int look_at(struct finder *f, struct pair *pair, const struct page_range *range,
		   const struct vma *vma, uint64_t at, uint64_t end)
{
	const struct mm *mm = pair->parent->mm;
	uint64_t page_size = f->snap->page_size;
	int ret = 0;

	for (uint64_t stop; at < end && ret == 0; at = stop) {
		const struct vma *other = vma_at(mm, at);
		size_t i = page_ranges_first_above(mm, at, page_size);
		const struct page_range *theirs = i < mm->pages.n ? &mm->pages.v[i] : NULL;
		bool both = theirs && theirs->vaddr <= at;

		stop = end;
		if (theirs)
			stop = both ? theirs->vaddr + theirs->nr_pages * page_size : theirs->vaddr;
		if (other && other->end < stop)
			stop = other->end;
		stop = stop < end ? stop : end;
		if (both && !theirs->guard && other && stage_vmas_match(vma, other))
			ret = compare_part(f, pair, range, at, stop, theirs);
		else
			add_part(f, pair, range, at, (stop - at) / page_size, NULL);
	}
	return ret;
}

static int look_at_range(struct finder *f, struct pair *pair, const struct page_range *range)
{
	uint64_t page_size = f->snap->page_size;
	uint64_t at = range->vaddr, end = at + range->nr_pages * page_size;
	int ret = 0;

	if (range->guard) {
		*array_push(&f->snap->arena, &pair->found) = *range;
		return 0;
	}
	while (at < end && ret == 0) {
		const struct vma *vma = vma_at(pair->task->mm, at);
		uint64_t stop = vma && vma->end < end ? vma->end : end;

		if (vma && stage_vma_is_private(vma))
			ret = look_at(f, pair, range, vma, at, stop);
		else
			add_part(f, pair, range, at, (stop - at) / page_size, NULL);
		at = stop;
	}
	return ret;
}

static int find_in_task(struct finder *f, const struct task *task)
{
	struct pair pair = { .task = task, .parent = find_parent(task) };
	struct mm *mm = task->mm;
	int ret = 0;

	if (!mm || mm->owner != task || !pair.parent || pair.parent->mm == mm)
		return 0;
	for (size_t i = 0; i < mm->pages.n && ret == 0; i++)
		ret = look_at_range(f, &pair, &mm->pages.v[i]);
	if (ret < 0)
		return err_wrap(f->err, ret, "task %d", task->pid);
	mm->pages.v = pair.found.v;
	mm->pages.n = pair.found.n;
	mm->pages.cap = pair.found.cap;
	return 0;
}

int find_shared(struct snapshot *snap, int images_fd, struct err *err)
{
	struct finder f = {
		.snap = snap,
		.images_fd = images_fd,
		.err = err,
		.own = { .fd = -1, .bytes = xzalloc(CHUNK) },
		.other = { .fd = -1, .bytes = xzalloc(CHUNK) },
	};
	int ret = 0;

	/* parents come first */
	for (size_t i = 0; i < snap->tasks.n && ret == 0; i++) {
		ret = find_in_task(&f, snap->tasks.v[i]);
		arena_fini(&f.arena);
	}
	cleanup_close(&f.own.fd);
	cleanup_close(&f.other.fd);
	free(f.own.bytes);
	free(f.other.bytes);
	return ret;
}
