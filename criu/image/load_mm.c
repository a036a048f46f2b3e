// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading address spaces and shared memory: mappings, and where their pages are.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "image/format.h"
#include "image/load.h"

#include "pagemap.pb-c.h"

/* mm->pages or shmem->pages while they are read. */
struct page_ranges {
	struct page_range *v;
	size_t n, cap;
};

/* What is mapped of one file, or the error. */
static int link_vma(struct load *load, struct task *task, struct vma *vma, struct err *err)
{
	if (vma->status & (VMA_FILE_PRIVATE | VMA_FILE_SHARED)) {
		vma->file = hashmap_get(&load->objects, KEY_FILE, vma->shmid);
		if (!vma->file)
			return err_set(err, -EBADMSG,
				       "image file 'mm-%d.img': mapping %llx is of file "
				       "%llu, which is not there",
				       task->pid, (unsigned long long)vma->start,
				       (unsigned long long)vma->shmid);
		const MemfdFileEntry *memfd = vma->file->entry->memfd;
		if (memfd)
			vma->shmem = hashmap_get(&load->objects, KEY_INODE, memfd->inode_id);
		return 0;
	}
	if (!(vma->status & VMA_ANON_SHARED) ||
	    (vma->status & (VMA_AREA_SYSVIPC | VMA_AREA_SOCKET | VMA_AREA_AIORING)))
		return 0;

	struct shmem *shmem = hashmap_get(&load->objects, KEY_SHMEM, vma->shmid);
	if (!shmem) {
		shmem = ARENA_NEW(&load->snap->arena, struct shmem);
		shmem->shmid = vma->shmid;
		*array_push(&load->snap->arena, &load->snap->shmems) = shmem;
		hashmap_put(&load->objects, KEY_SHMEM, vma->shmid, shmem);
	}
	vma->shmem = shmem;
	return 0;
}

/* The task that a segment belongs to, and how long it is, follow from its mappings. */
static void note_mapping(struct task *task, const struct vma *vma)
{
	struct shmem *shmem = vma->shmem;
	uint64_t end = vma->pgoff + (vma->end - vma->start);

	if (!shmem)
		return;
	if (!shmem->task) {
		shmem->task = task;
		shmem->vaddr = vma->start;
		shmem->offset = vma->pgoff;
	}
	if (!shmem->memfd && end > shmem->size)
		shmem->size = end;
}

static int add_vma(struct load *load, struct task *task, const VmaEntry *entry, struct err *err)
{
	struct vma *vma = array_push(&load->snap->arena, &task->mm->vmas);

	*vma = (struct vma){
		.start = entry->start,
		.end = entry->end,
		.pgoff = entry->pgoff,
		.shmid = entry->shmid,
		.prot = entry->prot,
		.flags = entry->flags,
		.status = entry->status,
		.has_madv = entry->has_madv,
		.madv = entry->madv,
		.has_fdflags = entry->has_fdflags,
		.fdflags = entry->fdflags,
		.anon_name = entry->anon_name,
		.locked_onfault = entry->locked_onfault,
	};
	int ret = link_vma(load, task, vma, err);
	if (ret == 0)
		note_mapping(task, vma);
	return ret;
}

static struct page_range *add_range(struct load *load, struct page_ranges *ranges)
{
	ARRAY(struct page_range) array = { ranges->v, ranges->n, ranges->cap };
	struct page_range *range = array_push(&load->snap->arena, &array);

	*ranges = (struct page_ranges){ array.v, array.n, array.cap };
	return range;
}

static int load_vmas(struct load *load, struct task *task, struct page_ranges *ranges,
		     struct err *err)
{
	MmEntry *entry = task->mm->entry;

	for (size_t i = 0; i < entry->n_vmas; i++) {
		const VmaEntry *from = entry->vmas[i];

		if (from->status & VMA_AREA_GUARD) {
			struct page_range *range = add_range(load, ranges);

			range->vaddr = from->start;
			range->nr_pages = (from->end - from->start) / load->snap->page_size;
			range->guard = true;
			continue;
		}
		int ret = add_vma(load, task, from, err);
		if (ret < 0)
			return ret;
	}
	entry->n_vmas = 0;
	entry->vmas = NULL;
	return 0;
}

static uint32_t range_flags(const PagemapEntry *entry)
{
	if (entry->has_flags)
		return entry->flags;
	return entry->has_in_parent && entry->in_parent ? PE_PARENT : PE_PRESENT;
}

/* Refuses contents that are nowhere in this image. */
static int check_flags(const char *name, const PagemapEntry *entry, uint32_t flags, struct err *err)
{
	unsigned long long at = entry->vaddr;

	if (flags & ~(uint32_t)(PE_PARENT | PE_LAZY | PE_PRESENT))
		return err_set(err, -EBADMSG, "image file '%s': unknown flags 0x%x at %llx", name,
			       flags, at);
	if (flags & PE_PARENT)
		return err_set(err, -ENOTSUP,
			       "image file '%s': the contents at %llx are in the image "
			       "of an earlier dump (--prev-images-dir), which cannot be read: dump "
			       "again without it",
			       name, at);
	if (!(flags & PE_PRESENT) && (flags & PE_LAZY))
		return err_set(err, -ENOTSUP,
			       "image file '%s': the contents at %llx were left out for "
			       "a lazy restore (--lazy-pages), which cannot be done: dump again "
			       "without it",
			       name, at);
	return 0;
}

static int add_pages(struct load *load, const char *name, const PagemapEntry *entry,
		     struct page_ranges *ranges, uint64_t *img_off, struct err *err)
{
	uint64_t nr = entry->has_nr_pages ? entry->nr_pages : entry->compat_nr_pages;
	uint32_t flags = range_flags(entry);
	struct task *sharer = NULL;

	int ret = check_flags(name, entry, flags, err);
	if (ret < 0)
		return ret;
	if (!nr || nr > (INT64_MAX - *img_off) / load->snap->page_size)
		return err_set(err, -EBADMSG, "image file '%s': %llu pages at %llx", name,
			       (unsigned long long)nr, (unsigned long long)entry->vaddr);
	if (entry->has_shared_pid) {
		sharer = hashmap_get(&load->objects, KEY_TASK, entry->shared_pid);
		if (!sharer || (flags & PE_PRESENT))
			return err_set(err, -EBADMSG,
				       "image file '%s': contents at %llx are those of "
				       "task %u, which is not there",
				       name, (unsigned long long)entry->vaddr, entry->shared_pid);
	} else if (!(flags & PE_PRESENT)) {
		return 0; /* zeros */
	}

	struct page_range *range = add_range(load, ranges);
	range->vaddr = entry->vaddr;
	range->nr_pages = nr;
	range->shared_with = sharer;
	range->img_off = sharer ? 0 : *img_off;
	if (!sharer)
		*img_off += nr * load->snap->page_size;
	return 0;
}

/* A pages file that is shorter than its ranges was truncated. */
static int check_pages_size(struct load *load, uint32_t pages_id, uint64_t needed, struct err *err)
{
	char name[IMAGE_NAME_MAX];
	struct stat st;

	if (!needed || load->opts->any_machine)
		return 0;
	image_name(name, IMG_PAGES, pages_id);
	if (load->sums && !checksums_find(load->sums, name))
		return err_set(err, -EBADMSG, "image file '%s' is not part of the image", name);
	if (fstatat(load->dirfd, name, &st, 0) < 0)
		return errno == ENOENT ?
			       err_set(err, -EBADMSG, "image file '%s' is missing", name) :
			       err_sys(err, "stat image file '%s'", name);
	if ((uint64_t)st.st_size < needed)
		return err_set(err, -EBADMSG,
			       "image file '%s' is truncated: %lld bytes, %llu are "
			       "needed",
			       name, (long long)st.st_size, (unsigned long long)needed);
	return 0;
}

/* 1; 0: no such part; -errno. */
static int load_pagemap(struct load *load, enum image_kind kind, uint64_t id,
			struct page_ranges *ranges, uint32_t *ret_pages_id, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	struct arena scratch = { 0 };
	uint64_t img_off = 0;
	PagemapHead *head;

	int ret = load_open(load, &reader, kind, id, err);
	if (ret <= 0)
		return ret;
	ret = frame_read(&reader, &pagemap_head__descriptor, &load->snap->arena, &head, err);
	if (ret == 0)
		return err_set(err, -EBADMSG, "image file '%s' is empty", reader.name);
	while (ret > 0) {
		PagemapEntry *entry;

		ret = frame_read(&reader, &pagemap_entry__descriptor, &scratch, &entry, err);
		if (ret <= 0)
			break;
		int added = add_pages(load, reader.name, entry, ranges, &img_off, err);
		ret = added < 0 ? added : 1;
	}
	arena_fini(&scratch);
	if (ret < 0)
		return ret;
	*ret_pages_id = head->pages_id;
	ret = check_pages_size(load, head->pages_id, img_off, err);
	return ret < 0 ? ret : 1;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct page_range *left = a, *right = b;

	return left->vaddr < right->vaddr ? -1 : left->vaddr > right->vaddr;
}

int load_mm(struct load *load, struct task *task, uint32_t vm_id, struct err *err)
{
	struct page_ranges ranges = { 0 };
	struct mm *mm = hashmap_get(&load->objects, KEY_MM, vm_id);

	task->mm = mm;
	if (mm)
		return 0;
	mm = ARENA_NEW(&load->snap->arena, struct mm);
	*array_push(&load->snap->arena, &load->snap->mms) = mm;
	hashmap_put(&load->objects, KEY_MM, vm_id, mm);
	task->mm = mm;
	mm->id = vm_id;
	mm->owner = task;
	int ret = load_needed(load, IMG_MM, (uint64_t)task->pid, &mm_entry__descriptor, &mm->entry,
			      err);
	if (ret < 0)
		return ret;
	mm->exe = hashmap_get(&load->objects, KEY_FILE, mm->entry->exe_file_id);
	if (!mm->exe)
		return err_set(err, -EBADMSG,
			       "image file 'mm-%d.img': the program is file %u, which "
			       "is not there",
			       task->pid, mm->entry->exe_file_id);
	ret = load_pagemap(load, IMG_PAGEMAP, (uint64_t)task->pid, &ranges, &mm->pages_id, err);
	if (ret == 0)
		return err_set(err, -EBADMSG, "image file 'pagemap-%d.img' is missing", task->pid);
	if (ret > 0)
		ret = load_vmas(load, task, &ranges, err);
	if (ranges.n)
		qsort(ranges.v, ranges.n, sizeof(ranges.v[0]), compare_ranges);
	mm->pages.v = ranges.v;
	mm->pages.n = ranges.n;
	mm->pages.cap = ranges.cap;
	return ret;
}

int load_shmems(struct load *load, struct err *err)
{
	for (size_t i = 0; i < load->snap->shmems.n; i++) {
		struct shmem *shmem = load->snap->shmems.v[i];
		struct page_ranges ranges = { 0 };

		/* Without a part it is all zeros. */
		int ret = load_pagemap(load, IMG_SHMEM_PAGEMAP, shmem->shmid, &ranges,
				       &shmem->pages_id, err);
		if (ret < 0)
			return ret;
		shmem->pages.v = ranges.v;
		shmem->pages.n = ranges.n;
		shmem->pages.cap = ranges.cap;
	}
	return 0;
}
