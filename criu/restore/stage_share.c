// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that a task should have while it forks, for its children, although they are not its own any
 * more: what two of them share with each other, and what one shares with a task further up. The
 * task gets its own pages when the last child exists.
 */
#include <stdlib.h>

#include "restore/stage_state.h"

/* Pages that somebody below the task shares with somebody who is not the task. */
struct wish {
	struct page_extent pages;
	const struct vma *vma; /* of who shares it */
};

struct sharer {
	struct stage *stage;
	const struct task *task; /* who forks */
	const struct stage_state *own;
	ARRAY(struct wish) wishes;
	struct range_set own_wanted; /* its own pages that somebody below shares */
	struct arena arena;
	struct err *err;
};

static uint64_t page_size_of(const struct sharer *s)
{
	return s->stage->snap->page_size;
}

/* The child of the task that @other is or descends from; NULL: it is not below the task. */
static const struct task *branch_of(const struct sharer *s, const struct task *other)
{
	while (other && other->parent != s->task)
		other = other->parent;
	return other;
}

static void add_wish(struct sharer *s, const struct page_span *span, const struct page_extent *from,
		     const struct vma *vma)
{
	*array_push(&s->arena, &s->wishes) = (struct wish){
		.vma = vma,
		.pages = { .vaddr = span->start,
			   .pages_id = from->pages_id,
			   .nr_pages = (span->end - span->start) / page_size_of(s),
			   .off = from->off + (span->start - from->vaddr) },
	};
}

/*
 * Notes what @want holds and the task does not have. @only_inherited: only where the task has it now
 * from its own parent, as nobody else below has a use for it.
 */
static void note_pages(struct sharer *s, const struct page_extents *want, const struct vma *vma,
		       bool only_inherited)
{
	array_each(const struct page_extent, extent, &want->v) {
		uint64_t end = extent->vaddr + extent->nr_pages * page_size_of(s);
		struct page_walk walk = page_walk_begin(want, &s->own->extents, extent->vaddr, end,
							page_size_of(s));
		struct page_span span;

		while (page_walk_step(&walk, &span)) {
			if (page_span_is_same(&span)) {
				range_set_add(&s->arena, &s->own_wanted, span.start, span.end);
				continue;
			}
			struct page_walk inner =
				page_walk_begin(want, &s->stage->now.extents, span.start, span.end,
						page_size_of(s));
			struct page_span part;

			while (page_walk_step(&inner, &part))
				if (!only_inherited || page_span_is_same(&part))
					add_wish(s, &part, part.a, vma);
		}
	}
}

static int note_range(struct sharer *s, const struct task *other, const struct page_range *range,
		      const struct vma *vma, const struct task *branch)
{
	uint64_t range_end = range->vaddr + range->nr_pages * page_size_of(s);
	uint64_t start = range->vaddr > vma->start ? range->vaddr : vma->start;
	uint64_t end = range_end < vma->end ? range_end : vma->end;
	const struct task *with = range->shared_with;
	struct page_extents pages = { 0 };

	if (start >= end || range->guard || (!with && !s->stage->now.extents.v.n))
		return 0;
	if (with == s->task) {
		range_set_add(&s->arena, &s->own_wanted, start, end);
		return 0;
	}
	if (with && branch_of(s, with) == branch)
		return 0; /* the branch will see to it */
	int ret =
		page_extents_resolve(s->stage->snap, other, start, end, &s->arena, &pages, s->err);

	if (!ret)
		note_pages(s, &pages, vma, !with || !branch_of(s, with));
	return ret;
}

static int note_task(struct sharer *s, const struct task *other, const struct task *branch)
{
	const struct mm *mm = other->mm;
	size_t next = 0;
	int ret = 0;

	for (size_t i = 0; mm && i < mm->vmas.n && !ret; i++) {
		const struct vma *vma = &mm->vmas.v[i];

		if (!stage_has_vma(s->stage, vma))
			continue;
		while (next < mm->pages.n &&
		       mm->pages.v[next].vaddr + mm->pages.v[next].nr_pages * page_size_of(s) <=
			       vma->start)
			next++;
		for (size_t k = next; k < mm->pages.n && mm->pages.v[k].vaddr < vma->end && !ret;
		     k++)
			ret = note_range(s, other, &mm->pages.v[k], vma, branch);
	}
	for (size_t i = 0; i < other->children.n && !ret; i++)
		ret = note_task(s, other->children.v[i], branch);
	return ret;
}

static int compare_wishes(const void *a, const void *b)
{
	const struct wish *left = a, *right = b;

	if (left->pages.vaddr != right->pages.vaddr)
		return left->pages.vaddr < right->pages.vaddr ? -1 : 1;
	return left->pages.nr_pages > right->pages.nr_pages ?
		       -1 :
		       left->pages.nr_pages < right->pages.nr_pages;
}

/* The part of @range that lies between the pieces of @state; empty: start == end. */
static struct range clip_to_gap(const struct stage_state *state, struct range range, uint64_t at)
{
	array_each(const struct stage_piece, piece, &state->pieces) {
		if (piece->end <= at && piece->end > range.start)
			range.start = piece->end;
		if (piece->start > at && piece->start < range.end)
			range.end = piece->start;
	}
	return range;
}

static const struct stage_piece *piece_at(const struct stage_state *state, uint64_t addr)
{
	array_each(const struct stage_piece, piece, &state->pieces)
		if (addr >= piece->start && addr < piece->end)
			return piece;
	return NULL;
}

/* A mapping for a wish: the one that is there, if it is of the same kind, or one more. */
static bool find_room(struct sharer *s, struct stage_state *state, const struct wish *wish,
		      uint64_t *ret_end)
{
	uint64_t at = wish->pages.vaddr;
	const struct stage_piece *piece = piece_at(state, at);

	if (piece) {
		*ret_end = piece->end;
		return stage_vmas_match(piece->vma, wish->vma);
	}
	struct range room =
		clip_to_gap(state, (struct range){ wish->vma->start, wish->vma->end }, at);

	*array_push(&s->stage->arena, &state->pieces) =
		(struct stage_piece){ .start = room.start, .end = room.end, .vma = wish->vma };
	*ret_end = room.end;
	return true;
}

static int compare_pieces(const void *a, const void *b)
{
	const struct stage_piece *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

/* Grants the part [@start, @end) of @wish, as far as one mapping reaches. Returns where that is. */
static uint64_t grant_part(struct sharer *s, struct stage_state *state, const struct wish *wish,
			   uint64_t start, uint64_t end, struct page_extents *granted)
{
	struct wish part = *wish;
	uint64_t room_end;

	part.pages.off += start - part.pages.vaddr;
	part.pages.vaddr = start;
	bool fits = find_room(s, state, &part, &room_end);

	end = end < room_end ? end : room_end;
	part.pages.nr_pages = (end - start) / page_size_of(s);
	if (fits)
		page_extents_add(&s->arena, granted, page_size_of(s), &part.pages);
	return end;
}

/*
 * Puts wishes over the task's own pages where nobody shares these. The first wish for a page wins.
 * True if any came true.
 */
static bool grant(struct sharer *s, struct stage_state *state)
{
	struct page_extents granted = { 0 };
	uint64_t done = 0;

	range_set_normalize(&s->own_wanted);
	qsort(s->wishes.v, s->wishes.n, sizeof(*s->wishes.v), compare_wishes);
	array_each(const struct wish, wish, &s->wishes) {
		uint64_t end = wish->pages.vaddr + wish->pages.nr_pages * page_size_of(s);
		struct range part;

		for (;; done = grant_part(s, state, wish, part.start, part.end, &granted)) {
			part = (struct range){ wish->pages.vaddr > done ? wish->pages.vaddr : done,
					       end };
			if (part.start >= part.end || !range_set_cut(&s->own_wanted, &part))
				break;
		}
	}
	if (!granted.v.n)
		return false;
	qsort(state->pieces.v, state->pieces.n, sizeof(*state->pieces.v), compare_pieces);
	state->extents = (struct page_extents){ 0 };
	page_extents_overlay(&s->own->extents, &granted, page_size_of(s), &s->stage->arena,
			     &state->extents);
	return true;
}

int stage_state_for_fork(struct stage *stage, const struct task *task, struct stage_state *state,
			 bool *ret_for_children, struct err *err)
{
	struct stage_state own = { 0 };
	struct sharer sharer = { .stage = stage, .task = task, .own = &own, .err = err };

	*ret_for_children = false;
	int ret = stage_state_of_task(stage, task, &own, err);

	for (size_t i = 0; i < task->children.n && !ret; i++)
		ret = note_task(&sharer, task->children.v[i], task->children.v[i]);
	*state = own;
	if (!ret && sharer.wishes.n) {
		/* Pushed to below: must not share its array with what stays as it is. */
		state->pieces.v = arena_memdup(&stage->arena, own.pieces.v,
					       own.pieces.n * sizeof(*own.pieces.v));
		state->pieces.cap = own.pieces.n;
		*ret_for_children = grant(&sharer, state);
	}
	arena_fini(&sharer.arena);
	return ret;
}
