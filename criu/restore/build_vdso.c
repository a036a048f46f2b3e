// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of the restore program that brings vdso and vvar to their places.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "arch/restore.h"
#include "base/cleanup.h"
#include "restore/builder.h"
#include "restore/vdso.h"

static struct op_list *leader(struct builder *b)
{
	return &b->threads[0];
}

/* The mappings of the image; what touches is one range there as here. */
static void read_image_maps(const struct mm *mm, struct vdso_maps *maps)
{
	*maps = (struct vdso_maps){ 0 };
	array_each(const struct vma, vma, &mm->vmas) {
		if (vma->status & VMA_AREA_VDSO)
			maps->vdso = (struct range){ vma->start, vma->end };
		else if ((vma->status & VMA_AREA_VVAR) && maps->nr_vvar < VVAR_MAX)
			maps->vvar[maps->nr_vvar++] = (struct range){ vma->start, vma->end };
	}
}

/* Both as they lie around the vdso: vvar is read by addresses relative to the code. */
static bool is_same_layout(const struct vdso_maps *a, const struct vdso_maps *b)
{
	struct range_set sets[2] = { 0 };
	const struct vdso_maps *maps[2] = { a, b };
	struct arena arena = { 0 };
	bool same = true;

	for (int i = 0; i < 2; i++) {
		for (uint32_t k = 0; k < maps[i]->nr_vvar; k++)
			range_set_add(&arena, &sets[i], maps[i]->vvar[k].start,
				      maps[i]->vvar[k].end);
		range_set_normalize(&sets[i]);
	}
	same = a->vdso.end - a->vdso.start == b->vdso.end - b->vdso.start &&
	       sets[0].v.n == sets[1].v.n;
	for (size_t i = 0; same && i < sets[0].v.n; i++)
		same = sets[0].v.v[i].start - a->vdso.start ==
			       sets[1].v.v[i].start - b->vdso.start &&
		       sets[0].v.v[i].end - a->vdso.start == sets[1].v.v[i].end - b->vdso.start;
	arena_fini(&arena);
	return same;
}

/* The code as it was at the dump. */
static int read_image_vdso(struct builder *b, const struct range *vdso, uint8_t **ret_bytes)
{
	uint64_t page_size = b->snap->page_size, size = vdso->end - vdso->start;
	struct page_extents extents = { 0 };
	struct page_reads reads = { 0 };
	uint8_t *bytes = arena_alloc(&b->prog->arena, size);
	int ret = page_extents_resolve(b->snap, b->task, vdso->start, vdso->end, &b->prog->arena,
				       &extents, b->err);

	if (ret < 0)
		return err_set(b->err, -ENOTSUP, "the image does not hold its vdso");
	array_each(const struct page_extent, extent, &extents.v)
		*array_push(&b->prog->arena, &reads.v) = (struct page_read){
			.pages_id = extent->pages_id,
			.off = extent->off,
			.addr = (uintptr_t)bytes + (extent->vaddr - vdso->start),
			.size = extent->nr_pages * page_size,
		};
	*ret_bytes = bytes;
	return page_reads_run(&reads, b->env->images_fd, b->err);
}

static void keep_maps(struct builder *b, const struct vdso_maps *maps)
{
	range_set_add(&b->prog->arena, &b->keep, maps->vdso.start, maps->vdso.end);
	for (uint32_t i = 0; i < maps->nr_vvar; i++)
		range_set_add(&b->prog->arena, &b->keep, maps->vvar[i].start, maps->vvar[i].end);
}

/* From the lowest to the highest address of all of them. */
static struct range span_of(const struct vdso_maps *maps)
{
	struct range span = maps->vdso;

	for (uint32_t i = 0; i < maps->nr_vvar; i++) {
		if (maps->vvar[i].start < span.start)
			span.start = maps->vvar[i].start;
		if (maps->vvar[i].end > span.end)
			span.end = maps->vvar[i].end;
	}
	return span;
}

/* Moves all as one: @from is where they are, @shift what is added to each address. */
static void move_by(struct builder *b, const struct vdso_maps *from, uint64_t base, uint64_t shift)
{
	for (uint32_t i = 0; i <= from->nr_vvar; i++) {
		const struct range *range = i < from->nr_vvar ? &from->vvar[i] : &from->vdso;
		uint64_t at = range->start + base, size = range->end - range->start;

		BUILDER_OP(b, leader(b), ROP_MREMAP, at, size, at + shift, size);
	}
}

static int move_vdso(struct builder *b, const struct vdso_maps *now, uint64_t to)
{
	struct range span = span_of(now);
	uint64_t shift = to - now->vdso.start, via = 0;

	keep_maps(b, now);
	if (!shift)
		return 0;
	/* A place that overlaps is reached by way of another. */
	if (span.start + shift < span.end && span.start < span.end + shift) {
		uint64_t hole = builder_take_hole(b, span.end - span.start);

		if (!hole)
			return err_set(b->err, -ENOMEM, "no room to move the vdso");
		via = hole - span.start;
		move_by(b, now, 0, via);
	}
	move_by(b, now, via, shift - via);
	return 0;
}

/* A thread inside the old code would go on reading the old vvar, which is gone. */
static int check_threads(struct builder *b, const struct range *vdso)
{
	array_each(const struct thread, thread, &b->task->threads) {
		uint64_t pc = arch_core_pc(thread->core);

		if (pc >= vdso->start && pc < vdso->end)
			return err_set(b->err, -ENOTSUP,
				       "thread %d was inside the vdso, and this kernel has another "
				       "one: dump it again",
				       thread->tid);
	}
	return 0;
}

static bool is_free(const struct builder *b, const struct range *span)
{
	array_each(const struct vma, vma, &b->task->mm->vmas)
		if (vma->start < span->end && span->start < vma->end)
			return false;
	return true;
}

/* This kernel's vdso goes where nothing is, and the old one leads to it. */
static int redirect_vdso(struct builder *b, const struct vdso_maps *now, const struct range *old,
			 uint8_t *bytes)
{
	struct range span = span_of(now);
	struct vdso_symbols symbols = { 0 };
	uint64_t size = old->end - old->start, to = now->vdso.start;
	int ret = check_threads(b, old);

	if (!ret && !is_free(b, &span)) {
		uint64_t hole = builder_take_hole(b, span.end - span.start);

		if (!hole)
			return err_set(b->err, -ENOMEM, "no room for the vdso of this kernel");
		to = hole + (now->vdso.start - span.start);
	}
	if (!ret)
		ret = vdso_read_symbols((const uint8_t *)(uintptr_t)now->vdso.start,
					(size_t)(now->vdso.end - now->vdso.start), &b->prog->arena,
					&symbols, b->err);
	if (!ret)
		ret = vdso_redirect(bytes, (size_t)size, &symbols, to, &b->prog->arena, b->err);
	if (!ret)
		ret = move_vdso(b, now, to);
	if (ret < 0)
		return ret;
	BUILDER_OP(b, leader(b), ROP_MMAP, old->start, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, (uint64_t)-1, 0);
	BUILDER_OP(b, leader(b), ROP_COPY, old->start, builder_data(b, bytes, (size_t)size), size);
	BUILDER_OP(b, leader(b), ROP_MPROTECT, old->start, size, PROT_READ | PROT_EXEC);
	return 0;
}

int build_vdso(struct builder *b)
{
	const struct vdso_maps *now = &b->stage->own.vdso;
	struct vdso_maps image;
	uint8_t *bytes = NULL;

	read_image_maps(b->task->mm, &image);
	if (!image.vdso.end)
		return 0;
	if (!now->vdso.end)
		return err_set(b->err, -ENOTSUP,
			       "the task has a vdso and this kernel gives none: "
			       "boot it without vdso=0");
	int ret = read_image_vdso(b, &image.vdso, &bytes);

	if (ret < 0)
		return ret;
	if (is_same_layout(&image, now) && !memcmp(bytes, (const void *)(uintptr_t)now->vdso.start,
						   (size_t)(image.vdso.end - image.vdso.start)))
		return move_vdso(b, now, image.vdso.start);
	return redirect_vdso(b, now, &image.vdso, bytes);
}
