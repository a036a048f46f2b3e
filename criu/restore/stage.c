// SPDX-License-Identifier: GPL-2.0-only
/*
 * Staging: choosing the places for a whole tree, and the shared anonymous memory.
 */
#include <errno.h>
#include <sys/mman.h>

#include "restore/stage.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08 /* Linux 6.11, in place of MAP_PRIVATE */
#endif

/* Status bits of mappings that the kernel makes, or that are only marks inside another one. */
#define VMA_NOT_MAPPED (VMA_AREA_VSYSCALL | VMA_AREA_VDSO | VMA_AREA_VVAR | VMA_AREA_GUARD)

void stage_fini(struct stage *stage)
{
	arena_fini(&stage->arena);
	*stage = (struct stage){ 0 };
}

bool stage_vma_is_private(const struct vma *vma)
{
	uint32_t type = vma->flags & MAP_TYPE;

	return !(vma->status & VMA_NOT_MAPPED) && (type == MAP_PRIVATE || type == MAP_DROPPABLE);
}

/* Huge pages and memory that fork wipes cannot be handed from parent to child. */
static bool may_be_staged(const struct vma *vma)
{
	return stage_vma_is_private(vma) && (vma->flags & MAP_TYPE) == MAP_PRIVATE &&
	       !(vma->flags & MAP_HUGETLB);
}

bool stage_has_vma(const struct stage *stage, const struct vma *vma)
{
	const struct placed_range *place = range_map_find(&stage->places, vma->start);

	return place && vma->end <= place->end && may_be_staged(vma);
}

uint64_t stage_address(const struct stage *stage, uint64_t addr)
{
	const struct placed_range *place = range_map_find(&stage->places, addr);

	return place->at + (addr - place->start);
}

uint64_t stage_shmem_address(const struct stage *stage, const struct vma *vma)
{
	const struct snapshot *snap = stage->snap;

	for (size_t i = 0; i < snap->shmems.n; i++)
		if (snap->shmems.v[i] == vma->shmem)
			return stage->shmem_at[i] ? stage->shmem_at[i] + vma->pgoff : 0;
	return 0;
}

static int check_vma(const struct stage *stage, const struct task *task, const struct vma *vma,
		     struct err *err)
{
	static const struct {
		uint32_t status;
		const char *what;
	} refused[] = {
		{ VMA_AREA_SYSVIPC, "a System V shared memory segment" },
		{ VMA_AREA_SOCKET, "the ring of a packet socket" },
		{ VMA_AREA_AIORING, "an aio ring" },
		{ VMA_AREA_SHSTK, "a shadow stack" },
	};
	const char *what = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (vma->status & refused[i].status)
			what = refused[i].what;
	if (what)
		return err_set(err, -ENOTSUP, "task %d: mapping %#llx-%#llx is %s: not supported",
			       task->pid, (unsigned long long)vma->start,
			       (unsigned long long)vma->end, what);
	if (vma->start >= vma->end ||
	    (vma->end > stage->own.task_size && !(vma->status & VMA_AREA_VSYSCALL)))
		return err_set(err, -ENOTSUP,
			       "task %d: mapping %#llx-%#llx is beyond this machine's %#llx",
			       task->pid, (unsigned long long)vma->start,
			       (unsigned long long)vma->end,
			       (unsigned long long)stage->own.task_size);
	return 0;
}

/* Adds what @task has to @taken, and its private memory with pages of its own to @staged. */
static int add_task(struct stage *stage, const struct task *task, struct arena *arena,
		    struct range_set *taken, struct range_set *staged, struct err *err)
{
	const struct mm *mm = task->mm;
	uint64_t page_size = stage->snap->page_size;
	size_t next = 0; /* the first range of pages that may be in the mapping */

	array_each(const struct vma, vma, &mm->vmas) {
		int ret = check_vma(stage, task, vma, err);

		if (ret < 0)
			return ret;
		if (vma->status & (VMA_AREA_VSYSCALL | VMA_AREA_GUARD))
			continue;
		range_set_add(arena, taken, vma->start, vma->end);
		while (next < mm->pages.n &&
		       mm->pages.v[next].vaddr + mm->pages.v[next].nr_pages * page_size <=
			       vma->start)
			next++;
		if (may_be_staged(vma) && next < mm->pages.n && mm->pages.v[next].vaddr < vma->end)
			range_set_add(arena, staged, vma->start, vma->end);
	}
	return 0;
}

/*
 * What must stay free beside crib's own mappings: its heap and what the kernel maps without being
 * told where grow there until the last actor has staged its memory.
 */
static void add_own(const struct stage *stage, struct arena *arena, uint64_t margin,
		    struct range_set *taken)
{
	array_each(const struct range, own, &stage->own.taken.v)
		range_set_add(arena, taken, own->start > margin ? own->start - margin : 0,
			      own->end + margin);
}

/*
 * What its first mapping says: of huge pages, and of which size; not charged to the commit limit.
 */
static uint32_t shmem_flags(const struct snapshot *snap, const struct shmem *shmem)
{
	const uint32_t size_bits = (uint32_t)MAP_HUGE_MASK << MAP_HUGE_SHIFT;

	for (size_t i = 0; i < snap->mms.n; i++)
		array_each(const struct vma, vma, &snap->mms.v[i]->vmas)
			if (vma->shmem == shmem)
				return vma->flags &
				       (vma->flags & MAP_HUGETLB ?
						MAP_NORESERVE | MAP_HUGETLB | size_bits :
						MAP_NORESERVE);
	return 0;
}

uint64_t stage_shmem_size(const struct stage *stage, const struct shmem *shmem)
{
	uint64_t page_size = stage->snap->page_size;

	return ALIGN_UP(shmem->size, page_size);
}

/*
 * The address for @range, whose tables of pages can be moved as a whole if it is large. @huge: size
 * of its pages if they are huge, else 0. 0: there is no room.
 */
static uint64_t choose_place(struct stage *stage, struct range_set *taken, struct arena *arena,
			     const struct range *range, uint64_t huge)
{
	uint64_t page_size = stage->snap->page_size, table = page_size * (page_size / 8);
	struct range limits = { stage->own.lowest, stage->own.task_size };
	uint64_t size = range->end - range->start, align = huge > table ? huge : table;
	uint64_t at = range_set_find_hole(taken, limits, size, align, range->start & (align - 1));

	if (!at && !huge)
		at = range_set_find_hole(taken, limits, size, page_size, 0);
	if (at) {
		range_set_add(arena, taken, at, at + size);
		range_set_normalize(taken);
	}
	return at;
}

/* 0: they are not; 1: they are, of the size that is usual on this machine. */
static uint64_t huge_page_size(uint32_t flags)
{
	unsigned int log = (flags >> MAP_HUGE_SHIFT) & MAP_HUGE_MASK;

	return flags & MAP_HUGETLB ? UINT64_C(1) << log : 0;
}

/* Large things first would fit better; address order keeps neighbours together. */
static bool choose_places(struct stage *stage, struct range_set *taken, struct arena *arena,
			  const struct range_set *staged)
{
	const struct snapshot *snap = stage->snap;
	bool all = true;

	stage->places.v.n = 0;
	array_each(const struct range, range, &staged->v) {
		uint64_t at = choose_place(stage, taken, arena, range, 0);

		if (at)
			*array_push(&stage->arena, &stage->places.v) =
				(struct placed_range){ range->start, range->end, at };
		all = all && at;
	}
	for (size_t i = 0; i < snap->shmems.n; i++) {
		struct range range = { 0, stage_shmem_size(stage, snap->shmems.v[i]) };

		stage->shmem_at[i] = 0;
		if (snap->shmems.v[i]->memfd || !range.end)
			continue;
		uint64_t huge = huge_page_size(shmem_flags(snap, snap->shmems.v[i]));

		stage->shmem_at[i] = choose_place(stage, taken, arena, &range, huge);
		all = all && stage->shmem_at[i];
	}
	return all;
}

static int check_shmem_places(const struct stage *stage, struct err *err)
{
	const struct snapshot *snap = stage->snap;

	for (size_t i = 0; i < snap->shmems.n; i++)
		if (!snap->shmems.v[i]->memfd && snap->shmems.v[i]->size && !stage->shmem_at[i])
			return err_set(err, -ENOMEM,
				       "no room for %llu bytes of shared memory %llu beside the "
				       "mappings of all tasks",
				       (unsigned long long)snap->shmems.v[i]->size,
				       (unsigned long long)snap->shmems.v[i]->shmid);
	return 0;
}

/*
 * Private memory for which no hole is large enough is not staged: the program maps and reads it at
 * its place, and it is not shared.
 */
static int plan_in(struct stage *stage, struct arena *arena, struct err *err)
{
	enum { NEAR = 16, MARGIN_PARTS = 256 };
	const struct snapshot *snap = stage->snap;
	uint64_t table = (uint64_t)snap->page_size * (snap->page_size / 8);
	struct range_set staged = { 0 }, tasks = { 0 };

	int ret = layout_read_own(&stage->own, &stage->arena, err);
	for (size_t i = 0; i < snap->tasks.n && !ret; i++) {
		const struct task *task = snap->tasks.v[i];

		if (task->mm && task->mm->owner && task->mm->owner != task)
			return err_set(err, -ENOTSUP,
				       "task %d shares the memory of task %d "
				       "(CLONE_VM): not supported",
				       task->pid, task->mm->owner->pid);
		if (task->mm)
			ret = add_task(stage, task, arena, &tasks, &staged, err);
	}
	if (ret < 0)
		return ret;
	/* Neighbours stay neighbours: fewer holes to look for, and fewer calls to drop them. */
	range_set_join(&staged, NEAR * table);
	range_set_join(&tasks, table);
	stage->shmem_at = ARENA_ARRAY(&stage->arena, uint64_t, snap->shmems.n + 1);

	uint64_t margins[] = { stage->own.task_size / MARGIN_PARTS, 0 };
	for (size_t i = 0; i < ARRAY_SIZE(margins); i++) {
		struct range_set taken = { 0 };

		array_each(const struct range, range, &tasks.v)
			range_set_add(arena, &taken, range->start, range->end);
		add_own(stage, arena, margins[i], &taken);
		range_set_normalize(&taken);
		if (choose_places(stage, &taken, arena, &staged))
			break;
	}
	return check_shmem_places(stage, err);
}

int stage_plan(struct stage *stage, const struct snapshot *snap, struct err *err)
{
	struct arena arena = { 0 };

	*stage = (struct stage){ .snap = snap };
	int ret = plan_in(stage, &arena, err);
	arena_fini(&arena);
	return ret;
}

static int stage_shmem(struct stage *stage, const struct shmem *shmem, uint64_t at, int images_fd,
		       struct arena *arena, struct err *err)
{
	uint64_t page_size = stage->snap->page_size;
	size_t size = (size_t)stage_shmem_size(stage, shmem);
	int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE |
		    (int)shmem_flags(stage->snap, shmem);
	void *want = (void *)(uintptr_t)at;
	void *map = mmap(want, size, PROT_READ | PROT_WRITE, flags, -1, 0);
	struct page_reads reads = { 0 };

	if (map == MAP_FAILED)
		return err_sys(err, "map %zu bytes of shared memory %llu", size,
			       (unsigned long long)shmem->shmid);
	if (map != want) {
		munmap(map, size);
		return err_set(err, -EEXIST, "map shared memory %llu: %p is taken",
			       (unsigned long long)shmem->shmid, want);
	}
	array_each(const struct page_range, range, &shmem->pages) {
		if (range->vaddr > size || range->nr_pages > (size - range->vaddr) / page_size)
			return err_set(err, -EBADMSG,
				       "shared memory %llu: page at %#llx is beyond "
				       "its end",
				       (unsigned long long)shmem->shmid,
				       (unsigned long long)range->vaddr);
		*array_push(arena, &reads.v) = (struct page_read){
			.pages_id = shmem->pages_id,
			.off = range->img_off,
			.addr = at + range->vaddr,
			.size = range->nr_pages * page_size,
		};
		stage->bytes_read += range->nr_pages * page_size;
	}
	return page_reads_run(&reads, images_fd, err);
}

int stage_shmems(struct stage *stage, int images_fd, struct err *err)
{
	struct arena arena = { 0 };
	int ret = 0;

	stage->shmems_mapped = true;
	for (size_t i = 0; i < stage->snap->shmems.n && !ret; i++)
		if (stage->shmem_at[i])
			ret = stage_shmem(stage, stage->snap->shmems.v[i], stage->shmem_at[i],
					  images_fd, &arena, err);
	arena_fini(&arena);
	return ret;
}

void stage_release(struct stage *stage)
{
	const struct snapshot *snap = stage->snap;

	for (size_t i = 0; stage->shmems_mapped && i < snap->shmems.n; i++)
		if (stage->shmem_at[i])
			munmap((void *)(uintptr_t)stage->shmem_at[i],
			       (size_t)stage_shmem_size(stage, snap->shmems.v[i]));
	stage->shmems_mapped = false;
}
