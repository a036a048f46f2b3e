// SPDX-License-Identifier: GPL-2.0-only
/*
 * Staging in an actor: from what the parent had in place to what the task needs.
 *
 * Pages are compared by where they lie in the image, never by contents. What is the same stays as
 * it was inherited, so it is shared copy-on-write; the rest is read, or dropped.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "restore/stage.h"
#include "restore/stage_state.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* A change of state under way. */
struct change {
	struct stage *stage;
	const struct stage_state *old, *next;
	struct stage_state result;
	ARRAY(bool) kept; /* result.pieces[i] is inherited */
	struct mapfiles files;
	struct page_reads reads;
	bool skip_new; /* what is not inherited at all is left to the program */
	int images_fd;
	struct arena arena; /* gone when the change is done */
	struct err *err;
};

static struct page_walk walk_begin(const struct change *change, uint64_t start, uint64_t end)
{
	return page_walk_begin(&change->old->extents, &change->next->extents, start, end,
			       change->stage->snap->page_size);
}

/* An inherited mapping without a page worth keeping is better made anew: it is one mapping then. */
static bool is_worth_keeping(const struct change *change, uint64_t start, uint64_t end)
{
	struct page_walk walk = walk_begin(change, start, end);
	struct page_span span;

	while (page_walk_step(&walk, &span))
		if (page_span_is_same(&span))
			return true;
	return false;
}

static void add_result(struct change *change, const struct stage_piece *piece, uint64_t start,
		       uint64_t end, bool kept)
{
	if (start >= end)
		return;
	*array_push(&change->stage->arena, &change->result.pieces) =
		(struct stage_piece){ .start = start, .end = end, .vma = piece->vma };
	*array_push(&change->arena, &change->kept) = kept;
}

/* Cuts a mapping that is needed into parts that are there and parts that must be made. */
static void cut_piece(struct change *change, const struct stage_piece *piece, size_t first)
{
	const struct stage_state *old = change->old;
	uint64_t pos = piece->start;

	for (size_t i = first; i < old->pieces.n; i++) {
		const struct stage_piece *have = &old->pieces.v[i];
		uint64_t start = have->start > pos ? have->start : pos;
		uint64_t end = have->end < piece->end ? have->end : piece->end;

		if (have->start >= piece->end)
			break;
		if (!stage_vmas_match(have->vma, piece->vma) ||
		    !is_worth_keeping(change, start, end))
			continue;
		add_result(change, piece, pos, start, false);
		add_result(change, piece, start, end, true);
		pos = end;
	}
	if (pos > piece->start || !change->skip_new)
		add_result(change, piece, pos, piece->end, false);
}

static void cut_pieces(struct change *change)
{
	const struct stage_state *old = change->old;
	size_t first = 0;

	array_each(const struct stage_piece, piece, &change->next->pieces) {
		while (first < old->pieces.n && old->pieces.v[first].end <= piece->start)
			first++;
		cut_piece(change, piece, first);
	}
}

static int unmap_staged(const struct change *change, uint64_t start, uint64_t end)
{
	if (start >= end)
		return 0;
	if (munmap((void *)(uintptr_t)stage_address(change->stage, start), (size_t)(end - start)))
		return err_sys(change->err, "unmap staged memory of %#llx-%#llx",
			       (unsigned long long)start, (unsigned long long)end);
	return 0;
}

/* One call for each gap between parts that are kept, whatever number of mappings lies in it. */
static int unmap_rest(const struct change *change)
{
	const struct stage_state *result = &change->result;
	size_t piece = 0;
	int ret = 0;

	if (!change->old->pieces.n)
		return 0;
	array_each(const struct placed_range, place, &change->stage->places.v) {
		uint64_t pos = place->start;

		for (; piece < result->pieces.n && result->pieces.v[piece].start < place->end;
		     piece++) {
			if (!change->kept.v[piece])
				continue;
			if (!ret)
				ret = unmap_staged(change, pos, result->pieces.v[piece].start);
			pos = result->pieces.v[piece].end;
		}
		if (!ret)
			ret = unmap_staged(change, pos, place->end);
	}
	return ret;
}

static void *try_map(const struct stage_piece *piece, void *want, int fd, uint64_t pgoff,
		     int extra_flags)
{
	int flags = MAP_PRIVATE | MAP_FIXED_NOREPLACE | extra_flags |
		    (int)(piece->vma->flags & (MAP_GROWSDOWN | MAP_NORESERVE));

	return mmap(want, (size_t)(piece->end - piece->start), PROT_READ | PROT_WRITE,
		    fd < 0 ? flags | MAP_ANONYMOUS : flags, fd, (off_t)pgoff);
}

/*
 * Where the commit limit leaves no room the mapping is not charged. Advice on huge pages comes
 * before anything is read: it decides what the kernel puts there.
 */
static int map_piece(struct change *change, const struct stage_piece *piece)
{
	const struct vma *vma = piece->vma;
	void *want = (void *)(uintptr_t)stage_address(change->stage, piece->start);
	size_t size = (size_t)(piece->end - piece->start);
	uint64_t pgoff = 0;
	int fd = -1;

	if (mapfile_of_vma(vma)) {
		fd = mapfiles_get(&change->files, vma, change->err);
		if (fd < 0)
			return fd;
		pgoff = vma->pgoff + (piece->start - vma->start);
	}
	void *map = try_map(piece, want, fd, pgoff, 0);

	if (map == MAP_FAILED && errno == ENOMEM)
		map = try_map(piece, want, fd, pgoff, MAP_NORESERVE);
	if (map == MAP_FAILED)
		return err_sys(change->err, "stage %zu bytes for %#llx", size,
			       (unsigned long long)piece->start);
	if (map != want) {
		munmap(map, size);
		return err_set(change->err, -EEXIST, "stage memory for %#llx: %p is taken",
			       (unsigned long long)piece->start, want);
	}
	for (int advice = MADV_HUGEPAGE; advice <= MADV_NOHUGEPAGE; advice++)
		if (vma->has_madv && (vma->madv & (1ULL << advice)))
			madvise(map, size, advice);
	return 0;
}

static int map_new(struct change *change)
{
	int ret = 0;

	for (size_t i = 0; i < change->result.pieces.n && !ret; i++)
		if (!change->kept.v[i])
			ret = map_piece(change, &change->result.pieces.v[i]);
	return ret;
}

static int drop_pages(const struct change *change, uint64_t start, uint64_t end)
{
	void *at = (void *)(uintptr_t)stage_address(change->stage, start);

	if (madvise(at, (size_t)(end - start), MADV_DONTNEED))
		return err_sys(change->err, "drop inherited pages of %#llx-%#llx",
			       (unsigned long long)start, (unsigned long long)end);
	return 0;
}

static void read_pages(struct change *change, const struct page_span *span)
{
	*array_push(&change->arena, &change->reads.v) = (struct page_read){
		.pages_id = span->b->pages_id,
		.off = span->b->off + (span->start - span->b->vaddr),
		.addr = stage_address(change->stage, span->start),
		.size = span->end - span->start,
	};
	change->stage->bytes_read += span->end - span->start;
}

static int fill_piece(struct change *change, const struct stage_piece *piece, bool kept)
{
	struct page_walk walk = walk_begin(change, piece->start, piece->end);
	struct page_span span;
	int ret = 0;

	while (!ret && page_walk_step(&walk, &span)) {
		if (kept && page_span_is_same(&span))
			change->stage->bytes_shared += span.end - span.start;
		else if (span.b)
			read_pages(change, &span);
		else if (kept && span.a)
			ret = drop_pages(change, span.start, span.end);
	}
	return ret;
}

static int run_change(struct change *change)
{
	int ret;

	cut_pieces(change);
	ret = unmap_rest(change);
	if (!ret)
		ret = map_new(change);
	for (size_t i = 0; i < change->result.pieces.n && !ret; i++)
		ret = fill_piece(change, &change->result.pieces.v[i], change->kept.v[i]);
	if (!ret)
		ret = page_reads_run(&change->reads, change->images_fd, change->err);
	change->result.extents = change->next->extents;
	return ret;
}

static bool has_living_child(const struct task *task)
{
	for (size_t i = 0; i < task->children.n; i++)
		if (task->children.v[i]->mm)
			return true;
	return false;
}

/* Who hands nothing on has new memory mapped and read by the program, at its place. */
static int switch_to(struct stage *stage, const struct task *task, const struct stage_state *next,
		     int images_fd, const struct vma_opener *opener, struct err *err)
{
	struct change change = { .stage = stage,
				 .old = &stage->now,
				 .next = next,
				 .skip_new = !has_living_child(task),
				 .files.opener = opener,
				 .images_fd = images_fd,
				 .err = err };
	int ret = run_change(&change);

	stage->now = change.result;
	mapfiles_fini(&change.files);
	arena_fini(&change.arena);
	return ret;
}

int stage_task(struct stage *stage, const struct task *task, int images_fd,
	       const struct vma_opener *opener, struct err *err)
{
	struct stage_state next = { 0 };
	bool thp_disabled = task->mm && task->mm->entry->thp_disabled;

	/* It decides what is put in place from now on; inherited, so it is set in both ways. */
	if (task->mm && prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) != thp_disabled)
		prctl(PR_SET_THP_DISABLE, thp_disabled, 0, 0, 0);
	int ret = stage_state_for_fork(stage, task, &next, &stage->for_children, err);

	if (!ret)
		ret = switch_to(stage, task, &next, images_fd, opener, err);
	return err_wrap(err, ret, "task %d: memory", task->pid);
}

int stage_finish(struct stage *stage, const struct task *task, int images_fd,
		 const struct vma_opener *opener, struct err *err)
{
	struct stage_state next = { 0 };
	uint64_t shared = stage->bytes_shared; /* with the parent: counted by stage_task() */
	int ret;

	if (!stage->for_children)
		return 0;
	ret = stage_state_of_task(stage, task, &next, err);
	if (!ret)
		ret = switch_to(stage, task, &next, images_fd, opener, err);
	stage->bytes_shared = shared;
	stage->for_children = false;
	return err_wrap(err, ret, "task %d: memory", task->pid);
}
