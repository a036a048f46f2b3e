// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of the restore program that makes the address space.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "image/image.h"
#include "restore/builder.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

enum { STAGED_PROT = PROT_READ | PROT_WRITE };

static struct op_list *leader(struct builder *b)
{
	return &b->threads[0];
}

static void keep(struct builder *b, uint64_t start, uint64_t end)
{
	range_set_add(&b->prog->arena, &b->keep, start, end);
}

int build_unmap(struct builder *b)
{
	struct restorer_op *op = &leader(b)->v.v[0];
	struct restorer_range *ranges;

	range_set_normalize(&b->keep);
	ranges = ARENA_ARRAY(&b->prog->arena, struct restorer_range, b->keep.v.n + 1);
	for (size_t i = 0; i < b->keep.v.n; i++)
		ranges[i] = (struct restorer_range){
			.start = b->keep.v.v[i].start,
			.size = b->keep.v.v[i].end - b->keep.v.v[i].start,
		};
	op->arg[0] = builder_data(b, ranges, b->keep.v.n * sizeof(*ranges));
	op->arg[1] = b->keep.v.n;
	op->arg[2] = b->stage->own.task_size;
	return 0;
}

/* Words as wide as the task's, up to and with AT_NULL: more than the kernel has room for it refuses. */
static uint64_t auxv_data(struct builder *b, const MmEntry *entry, uint32_t *ret_size)
{
	size_t n = 0;
	bool wide = sizeof(long) == 8;
	uint64_t *words64 = ARENA_ARRAY(&b->prog->arena, uint64_t, entry->n_mm_saved_auxv + 2);
	uint32_t *words32 = (uint32_t *)words64;

	for (; n + 1 < entry->n_mm_saved_auxv && entry->mm_saved_auxv[n]; n += 2)
		;
	n = n + 1 < entry->n_mm_saved_auxv ? n + 2 : entry->n_mm_saved_auxv;
	for (size_t i = 0; i < n; i++) {
		if (wide)
			words64[i] = entry->mm_saved_auxv[i];
		else
			words32[i] = (uint32_t)entry->mm_saved_auxv[i];
	}
	*ret_size = (uint32_t)(n * (wide ? sizeof(*words64) : sizeof(*words32)));
	return builder_data(b, words64, *ret_size);
}

/*
 * Before anything of the task is mapped: the kernel does not change the exe link while the old file
 * is, and a task of crib's own would be just that.
 */
static uint64_t build_set_mm(struct builder *b)
{
	const MmEntry *entry = b->task->mm->entry;
	struct restorer_mm mm = {
		.start_code = entry->mm_start_code,
		.end_code = entry->mm_end_code,
		.start_data = entry->mm_start_data,
		.end_data = entry->mm_end_data,
		.start_brk = entry->mm_start_brk,
		.brk = entry->mm_brk,
		.start_stack = entry->mm_start_stack,
		.arg_start = entry->mm_arg_start,
		.arg_end = entry->mm_arg_end,
		.env_start = entry->mm_env_start,
		.env_end = entry->mm_env_end,
		.exe_fd = b->env->exe_fd,
	};

	mm.auxv = (uint32_t)auxv_data(b, entry, &mm.auxv_size);
	uint64_t off = builder_data(b, &mm, sizeof(mm));

	BUILDER_OP(b, leader(b), ROP_SET_MM, off);
	return off;
}

/* Staged memory moves in; *@piece: the first piece that may be of @vma. */
static bool move_pieces(struct builder *b, const struct vma *vma, size_t *piece)
{
	const struct stage_state *now = &b->stage->now;
	bool any = false;

	for (; *piece < now->pieces.n && now->pieces.v[*piece].vma->start <= vma->start;
	     (*piece)++) {
		const struct stage_piece *it = &now->pieces.v[*piece];
		uint64_t start = it->start > vma->start ? it->start : vma->start;
		uint64_t end = it->end < vma->end ? it->end : vma->end;

		if (it->vma != vma || start >= end)
			continue;
		uint64_t at = stage_address(b->stage, start);

		keep(b, at, at + (end - start));
		BUILDER_OP(b, leader(b), ROP_MREMAP, at, end - start, start, end - start);
		any = true;
	}
	return any;
}

/* The kernel does not duplicate mappings of huge pages: their file is mapped, by its link in /proc. */
static int map_huge_shmem(struct builder *b, const struct vma *vma)
{
	uint64_t start = stage_shmem_address(b->stage, vma) - vma->pgoff;
	uint64_t end = start + stage_shmem_size(b->stage, vma->shmem);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/map_files/%" PRIx64 "-%" PRIx64, start, end);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return err_sys(b->err, "open '%s' of shared huge pages", path);
	*array_push(&b->prog->arena, &b->prog->fds) = fd;
	BUILDER_OP(b, leader(b), ROP_MMAP, vma->start, vma->end - vma->start, STAGED_PROT,
		   MAP_SHARED | MAP_FIXED | (vma->flags & MAP_NORESERVE), (uint64_t)fd, vma->pgoff);
	return 0;
}

static void move_shmem(struct builder *b, const struct vma *vma, uint64_t at)
{
	keep(b, at, at + (vma->end - vma->start));
	/* Old length 0: the mapping is duplicated, others may need the same part. */
	BUILDER_OP(b, leader(b), ROP_MREMAP, at, 0, vma->start, vma->end - vma->start);
}

static uint64_t map_flags(const struct vma *vma)
{
	const uint32_t huge_size = (uint32_t)MAP_HUGE_MASK << MAP_HUGE_SHIFT;
	uint32_t type = vma->flags & MAP_TYPE;
	uint32_t flags = vma->flags & (MAP_GROWSDOWN | MAP_NORESERVE | MAP_HUGETLB);

	if (type != MAP_PRIVATE && type != MAP_DROPPABLE)
		type = MAP_SHARED;
	if (flags & MAP_HUGETLB)
		flags |= vma->flags & huge_size;
	return MAP_FIXED | type | flags;
}

static int map_vma(struct builder *b, const struct vma *vma, uint32_t prot)
{
	uint64_t flags = map_flags(vma), off = 0;
	int fd = -1;

	if (mapfile_of_vma(vma)) {
		fd = mapfiles_get(&b->files, vma, b->err);
		if (fd < 0)
			return fd;
		off = vma->pgoff;
	} else if ((flags & MAP_TYPE) == MAP_SHARED) {
		return err_set(b->err, -EBADMSG, "mapping %#llx-%#llx is shared, of nothing",
			       (unsigned long long)vma->start, (unsigned long long)vma->end);
	} else {
		flags |= MAP_ANONYMOUS;
	}
	BUILDER_OP(b, leader(b), ROP_MMAP, vma->start, vma->end - vma->start, prot, flags,
		   (uint64_t)(int64_t)fd, off);
	return 0;
}

/* Adds what the program reads by itself, as it is not staged. */
static int note_reads(struct builder *b, const struct vma *vma, struct page_reads *reads, bool *any)
{
	const struct mm *mm = b->task->mm;
	uint64_t page_size = b->snap->page_size;
	struct page_extents extents = { 0 };
	int ret = 0;

	if (!stage_vma_is_private(vma))
		return 0;
	for (size_t i = page_ranges_first_above(mm, vma->start, page_size); i < mm->pages.n; i++) {
		const struct page_range *range = &mm->pages.v[i];
		uint64_t range_end = range->vaddr + range->nr_pages * page_size;
		uint64_t start = range->vaddr > vma->start ? range->vaddr : vma->start;
		uint64_t end = range_end < vma->end ? range_end : vma->end;

		if (start >= end || ret < 0)
			break;
		if (!range->guard)
			ret = page_extents_resolve(b->snap, b->task, start, end, &b->prog->arena,
						   &extents, b->err);
	}
	array_each(const struct page_extent, extent, &extents.v) {
		*array_push(&b->prog->arena, &reads->v) = (struct page_read){
			.pages_id = extent->pages_id,
			.off = extent->off,
			.addr = extent->vaddr,
			.size = extent->nr_pages * page_size,
		};
		b->env->stage->bytes_read += extent->nr_pages * page_size;
	}
	*any = extents.v.n > 0;
	return ret;
}

/* One op for what follows each other in one file. */
static int build_reads(struct builder *b, struct page_reads *reads)
{
	int fd = -1;

	page_reads_sort(reads);
	for (size_t i = 0, n; i < reads->v.n; i += n) {
		const struct page_read *first = &reads->v.v[i];
		uint64_t end = first->off, ranges = 0;

		if (!i || first[-1].pages_id != first->pages_id) {
			fd = image_open(b->env->images_fd, IMG_PAGES, first->pages_id, b->err);
			if (fd < 0)
				return fd;
			*array_push(&b->prog->arena, &b->prog->fds) = fd;
		}
		for (n = 0; i + n < reads->v.n && first[n].pages_id == first->pages_id &&
			    first[n].off == end;
		     n++) {
			struct restorer_range range = { first[n].addr, first[n].size };
			uint64_t off = builder_data(b, &range, sizeof(range));

			ranges = n ? ranges : off;
			end += first[n].size;
		}
		BUILDER_OP(b, leader(b), ROP_PREAD, (uint64_t)fd, first->off, ranges, n);
	}
	return 0;
}

static void build_one_advice(struct builder *b, const struct vma *vma, unsigned int advice)
{
	if (!vma->has_madv || !(vma->madv & (UINT64_C(1) << advice)))
		return;
	struct restorer_op *op =
		BUILDER_OP(b, leader(b), ROP_MADVISE, vma->start, vma->end - vma->start, advice);
	op->warning = RWARN_MADVISE;
}

/*
 * Makes one mapping. *@prot: what protection it has then. @reads: what must be read into it.
 */
static int build_vma(struct builder *b, const struct vma *vma, size_t *piece, uint32_t *prot,
		     struct page_reads *reads)
{
	bool has_pages = false;

	*prot = STAGED_PROT;
	if (move_pieces(b, vma, piece))
		return 0;
	if (vma->shmem && !mapfile_of_vma(vma)) {
		uint64_t at = stage_shmem_address(b->stage, vma);

		if (!at || vma->pgoff > vma->shmem->size ||
		    vma->end - vma->start >
			    ALIGN_UP(vma->shmem->size, b->snap->page_size) - vma->pgoff)
			return err_set(b->err, -EBADMSG,
				       "mapping %#llx-%#llx is not in its "
				       "shared memory %llu of %llu bytes",
				       (unsigned long long)vma->start, (unsigned long long)vma->end,
				       (unsigned long long)vma->shmid,
				       (unsigned long long)vma->shmem->size);
		if (vma->flags & MAP_HUGETLB)
			return map_huge_shmem(b, vma);
		move_shmem(b, vma, at);
		return 0;
	}
	int ret = note_reads(b, vma, reads, &has_pages);

	*prot = has_pages ? STAGED_PROT : vma->prot;
	if (!ret)
		ret = map_vma(b, vma, *prot);
	/* Before anything is read: it decides what the kernel puts there. */
	for (unsigned int advice = MADV_HUGEPAGE; !ret && advice <= MADV_NOHUGEPAGE; advice++)
		build_one_advice(b, vma, advice);
	return ret;
}

static void build_guard(struct builder *b, uint64_t start, uint64_t end)
{
	struct restorer_op *op = BUILDER_OP(b, leader(b), ROP_GUARD, start, end - start);

	op->warning = RWARN_GUARD;
}

static void build_guards(struct builder *b)
{
	const struct mm *mm = b->task->mm;

	array_each(const struct vma, vma, &mm->vmas)
		if (vma->status & VMA_AREA_GUARD)
			build_guard(b, vma->start, vma->end);
	array_each(const struct page_range, range, &mm->pages)
		if (range->guard)
			build_guard(b, range->vaddr,
				    range->vaddr + range->nr_pages * b->snap->page_size);
}

/* Staged memory has had advice on huge pages. */
static void build_advice(struct builder *b, const struct vma *vma)
{
	for (unsigned int advice = 1; advice < 64; advice++)
		if (advice != MADV_HUGEPAGE && advice != MADV_NOHUGEPAGE)
			build_one_advice(b, vma, advice);
	if (vma->anon_name) {
		struct restorer_op *op =
			BUILDER_OP(b, leader(b), ROP_VMA_NAME, vma->start, vma->end - vma->start,
				   builder_str(b, vma->anon_name));
		op->warning = RWARN_ANON_NAME;
	}
}

static void build_locks(struct builder *b)
{
	array_each(const struct vma, vma, &b->task->mm->vmas) {
		if (!(vma->flags & MAP_LOCKED) || (vma->status & VMA_AREA_GUARD))
			continue;
		struct restorer_op *op =
			BUILDER_OP(b, leader(b), ROP_MLOCK, vma->start, vma->end - vma->start,
				   vma->locked_onfault ? MLOCK_ONFAULT : 0);
		op->warning = RWARN_MLOCK;
	}
}

static bool is_made_here(const struct vma *vma)
{
	return !(vma->status &
		 (VMA_AREA_VSYSCALL | VMA_AREA_VDSO | VMA_AREA_VVAR | VMA_AREA_GUARD));
}

/* Shared memory that is duplicated stays until here. */
static void drop_shmems(struct builder *b)
{
	struct range_set used = { 0 };

	array_each(const struct vma, vma, &b->task->mm->vmas) {
		if (!is_made_here(vma) || !vma->shmem || mapfile_of_vma(vma) ||
		    (vma->flags & MAP_HUGETLB))
			continue;
		uint64_t at = stage_shmem_address(b->stage, vma);

		range_set_add(&b->prog->arena, &used, at, at + (vma->end - vma->start));
	}
	range_set_normalize(&used);
	array_each(const struct range, range, &used.v)
		BUILDER_OP(b, leader(b), ROP_UNMAP, range->start, range->end - range->start);
}

int build_memory(struct builder *b)
{
	const struct mm *mm = b->task->mm;
	uint64_t set_mm = build_set_mm(b);
	uint32_t *prot = ARENA_ARRAY(&b->prog->arena, uint32_t, mm->vmas.n + 1);
	struct page_reads reads = { 0 };
	size_t piece = 0;
	int ret = 0;

	for (size_t i = 0; i < mm->vmas.n && !ret; i++)
		if (is_made_here(&mm->vmas.v[i]))
			ret = build_vma(b, &mm->vmas.v[i], &piece, &prot[i], &reads);
	if (!ret)
		ret = build_reads(b, &reads);
	if (ret < 0)
		return ret;
	drop_shmems(b);
	for (size_t i = 0; i < mm->vmas.n; i++) {
		const struct vma *vma = &mm->vmas.v[i];

		if (!is_made_here(vma))
			continue;
		if (prot[i] != vma->prot)
			BUILDER_OP(b, leader(b), ROP_MPROTECT, vma->start, vma->end - vma->start,
				   vma->prot);
		build_advice(b, vma);
	}
	build_guards(b);
	build_locks(b);
	BUILDER_OP(b, leader(b), ROP_SET_MM_EACH, set_mm)->warning = RWARN_MM;
	return 0;
}
