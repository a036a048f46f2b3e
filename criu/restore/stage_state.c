// SPDX-License-Identifier: GPL-2.0-only
/*
 * What should be staged for a task.
 */
#include <sys/mman.h>

#include "restore/stage_state.h"

bool stage_vmas_match(const struct vma *a, const struct vma *b)
{
	const uint32_t flags = MAP_TYPE | MAP_GROWSDOWN | MAP_NORESERVE;
	const struct ofd *file = mapfile_of_vma(a);

	return file == mapfile_of_vma(b) && !((a->flags ^ b->flags) & flags) &&
	       (!file || a->start - a->pgoff == b->start - b->pgoff);
}

/* Adds the pages of @vma, and the piece for it if there is any. *@next: the first range to look at. */
static int add_vma(struct stage *stage, const struct task *task, const struct vma *vma,
		   size_t *next, struct stage_state *state, struct err *err)
{
	const struct mm *mm = task->mm;
	uint64_t page_size = stage->snap->page_size;
	bool any = false;
	int ret = 0;

	for (; *next < mm->pages.n && !ret; (*next)++) {
		const struct page_range *range = &mm->pages.v[*next];
		uint64_t range_end = range->vaddr + range->nr_pages * page_size;
		uint64_t start = range->vaddr > vma->start ? range->vaddr : vma->start;
		uint64_t end = range_end < vma->end ? range_end : vma->end;

		if (range->vaddr >= vma->end)
			break;
		if (start < end && !range->guard) {
			any = true;
			ret = page_extents_resolve(stage->snap, task, start, end, &stage->arena,
						   &state->extents, err);
		}
		if (range_end > vma->end)
			break; /* the rest is in the next mapping */
	}
	if (any)
		*array_push(&stage->arena, &state->pieces) =
			(struct stage_piece){ .start = vma->start, .end = vma->end, .vma = vma };
	return ret;
}

/* The first mapping of @mm that ends above @addr. */
static const struct vma *first_vma_above(const struct mm *mm, uint64_t addr)
{
	size_t low = 0, high = mm->vmas.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (mm->vmas.v[mid].end > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return &mm->vmas.v[low];
}

/* Widens *@hull by the mappings below @task in the tree that a part of @piece will become. */
static void widen(const struct stage *stage, const struct task *task,
		  const struct stage_piece *piece, struct range *hull)
{
	for (size_t i = 0; i < task->children.n; i++) {
		const struct task *child = task->children.v[i];

		if (!child->mm)
			continue;
		const struct vma *vma = first_vma_above(child->mm, piece->start);
		const struct vma *end = child->mm->vmas.v + child->mm->vmas.n;

		for (; vma < end && vma->start < piece->end; vma++) {
			if (!stage_has_vma(stage, vma) || !stage_vmas_match(vma, piece->vma))
				continue;
			if (vma->start < hull->start)
				hull->start = vma->start;
			if (vma->end > hull->end)
				hull->end = vma->end;
		}
		widen(stage, child, piece, hull);
	}
}

/*
 * A heap or stack that grew in a child after the fork: the part that is inherited and the part
 * that is new would never be one mapping again, so the parent stages it as wide as any child has it.
 */
static void widen_pieces(const struct stage *stage, const struct task *task,
			 struct stage_state *state)
{
	for (size_t i = 0; i < state->pieces.n; i++) {
		struct stage_piece *piece = &state->pieces.v[i];
		const struct placed_range *place = range_map_find(&stage->places, piece->start);
		struct range hull = { piece->start, piece->end };
		uint64_t low = place->start, high = place->end;

		if (mapfile_of_vma(piece->vma))
			continue;
		if (i && piece[-1].end > low)
			low = piece[-1].end;
		if (i + 1 < state->pieces.n && piece[1].start < high)
			high = piece[1].start;
		widen(stage, task, piece, &hull);
		piece->start = hull.start > low ? hull.start : low;
		piece->end = hull.end < high ? hull.end : high;
	}
}

int stage_state_of_task(struct stage *stage, const struct task *task, struct stage_state *state,
			struct err *err)
{
	size_t next = 0;
	int ret = 0;

	if (!task->mm)
		return 0;
	for (size_t i = 0; i < task->mm->vmas.n && !ret; i++)
		if (stage_has_vma(stage, &task->mm->vmas.v[i]))
			ret = add_vma(stage, task, &task->mm->vmas.v[i], &next, state, err);
	if (!ret)
		widen_pieces(stage, task, state);
	return ret;
}
