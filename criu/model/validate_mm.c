// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold of the memory of a snapshot, see snapshot_validate().
 */
#include <errno.h>

#include "model/validate.h"

enum { AUXV_MAX = 1024, AIOS_MAX = 65536 };

/* No machine's user space goes further. */
static const uint64_t user_end = UINT64_C(1) << 57;

static bool is_aligned(const struct validate *v, uint64_t bytes)
{
	return (bytes & (v->snap->page_size - 1)) == 0;
}

static int check_vma(struct validate *v, const struct mm *mm, const struct vma *vma, uint64_t last)
{
	pid_t pid = mm->owner->pid;
	unsigned long long start = vma->start;
	uint64_t top = vma->status & VMA_AREA_VSYSCALL ? UINT64_MAX : user_end;

	if (vma->start >= vma->end || vma->end > top || !is_aligned(v, vma->start) ||
	    !is_aligned(v, vma->end))
		return err_set(v->err, -EBADMSG, "task %d: a mapping from %llx to %llx", pid, start,
			       (unsigned long long)vma->end);
	if (vma->start < last)
		return err_set(v->err, -EBADMSG,
			       "task %d: mapping %llx begins before the end of the "
			       "one before it",
			       pid, start);
	if (!is_aligned(v, vma->pgoff) || vma->pgoff > INT64_MAX - (vma->end - vma->start))
		return err_set(v->err, -EBADMSG,
			       "task %d: mapping %llx is at byte %llu of its file", pid, start,
			       (unsigned long long)vma->pgoff);
	if (vma->file && (!validate_has_file(v, vma->file) || vma->shmid != vma->file->entry->id))
		return err_set(v->err, -EBADMSG, "task %d: the file of mapping %llx is not there",
			       pid, start);
	if (!vma->file && vma->shmem && vma->shmid != vma->shmem->shmid)
		return err_set(v->err, -EBADMSG,
			       "task %d: the shared memory of mapping %llx is not "
			       "there",
			       pid, start);
	if ((vma->status & (VMA_FILE_PRIVATE | VMA_FILE_SHARED)) && !vma->file)
		return err_set(v->err, -EBADMSG, "task %d: mapping %llx is of no file", pid, start);
	return 0;
}

static int check_vmas(struct validate *v, const struct mm *mm)
{
	uint64_t last = 0;

	array_each(const struct vma, vma, &mm->vmas) {
		int ret = check_vma(v, mm, vma, last);

		if (ret < 0)
			return ret;
		last = vma->end;
	}
	return 0;
}

/* The end of a range, or 0 when it is none: empty, not in whole pages, or beyond @top. */
static uint64_t range_end(const struct validate *v, const struct page_range *range, uint64_t top)
{
	if (!range->nr_pages || !is_aligned(v, range->vaddr) || range->vaddr >= top ||
	    range->nr_pages > (top - range->vaddr) / v->snap->page_size)
		return 0;
	return range->vaddr + range->nr_pages * v->snap->page_size;
}

/* True when mappings without a gap between them cover the bytes; *@at moves on with the address. */
static bool is_mapped(const struct mm *mm, size_t *at, uint64_t start, uint64_t end)
{
	while (*at < mm->vmas.n && mm->vmas.v[*at].end <= start)
		++*at;
	for (size_t i = *at; i < mm->vmas.n && mm->vmas.v[i].start <= start; i++) {
		if (mm->vmas.v[i].end >= end)
			return true;
		start = mm->vmas.v[i].end;
	}
	return false;
}

/* True when own pages without a gap between them cover the bytes. */
static bool has_own_pages(const struct validate *v, const struct mm *mm, uint64_t start,
			  uint64_t end)
{
	size_t low = 0, high = mm->pages.n;

	while (low < high) { /* the first that ends behind start */
		size_t middle = low + (high - low) / 2;
		const struct page_range *range = &mm->pages.v[middle];

		if (range->vaddr + range->nr_pages * v->snap->page_size <= start)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < mm->pages.n && mm->pages.v[low].vaddr <= start; low++) {
		const struct page_range *range = &mm->pages.v[low];

		if (range->shared_with || range->guard)
			return false;
		start = range->vaddr + range->nr_pages * v->snap->page_size;
		if (start >= end)
			return true;
	}
	return false;
}

/* Ranges ascend, are mapped, and own contents stand in the pages file in their order. */
static int check_pages(struct validate *v, const struct mm *mm)
{
	uint64_t last = 0, img_off = 0;
	size_t at = 0;

	array_each(const struct page_range, range, &mm->pages) {
		uint64_t end = range_end(v, range, user_end);

		if (!end || range->vaddr < last)
			return err_set(v->err, -EBADMSG,
				       "task %d: %llu pages at %llx are out of "
				       "place",
				       mm->owner->pid, (unsigned long long)range->nr_pages,
				       (unsigned long long)range->vaddr);
		if (!is_mapped(mm, &at, range->vaddr, end))
			return err_set(v->err, -EBADMSG,
				       "task %d: pages at %llx belong to no mapping",
				       mm->owner->pid, (unsigned long long)range->vaddr);
		last = end;
		if (range->shared_with || range->guard)
			continue;
		if (range->img_off != img_off)
			return err_set(v->err, -EBADMSG,
				       "task %d: contents of %llx are at byte %llu "
				       "of the pages instead of %llu",
				       mm->owner->pid, (unsigned long long)range->vaddr,
				       (unsigned long long)range->img_off,
				       (unsigned long long)img_off);
		img_off += end - range->vaddr;
	}
	return img_off ? validate_unique(v, SEEN_PAGES, mm->pages_id, mm, "pages file") : 0;
}

/* What is shared is another task's own. All ranges have been checked. */
static int check_sharing(struct validate *v, const struct mm *mm)
{
	array_each(const struct page_range, range, &mm->pages) {
		const struct task *sharer = range->shared_with;

		if (!sharer)
			continue;
		if (!sharer->mm || sharer->mm == mm || range->guard ||
		    !has_own_pages(v, sharer->mm, range->vaddr,
				   range->vaddr + range->nr_pages * v->snap->page_size))
			return err_set(v->err, -EBADMSG,
				       "task %d: contents of %llx are those of task "
				       "%d, which has none",
				       mm->owner->pid, (unsigned long long)range->vaddr,
				       sharer->pid);
	}
	return 0;
}

static int check_mm(struct validate *v, const struct mm *mm)
{
	if (!mm->owner || mm->owner->mm != mm || !mm->entry)
		return err_set(v->err, -EBADMSG, "memory %u belongs to no task", mm->id);
	int ret = validate_unique(v, SEEN_MM, mm->id, mm, "memory");
	if (ret < 0)
		return ret;
	if (!validate_has_file(v, mm->exe))
		return err_set(v->err, -EBADMSG, "task %d: its program is not there",
			       mm->owner->pid);
	if (mm->entry->n_mm_saved_auxv > AUXV_MAX || mm->entry->n_aios > AIOS_MAX)
		return err_set(v->err, -EBADMSG,
			       "task %d: %zu words of auxiliary vector, %zu aio "
			       "rings",
			       mm->owner->pid, mm->entry->n_mm_saved_auxv, mm->entry->n_aios);
	ret = check_vmas(v, mm);
	return ret < 0 ? ret : check_pages(v, mm);
}

static int check_shmem(struct validate *v, const struct shmem *shmem)
{
	uint64_t top = ALIGN_UP(shmem->size, (uint64_t)v->snap->page_size);
	unsigned long long id = shmem->shmid;
	uint64_t last = 0, img_off = 0;

	int ret = validate_unique(v, SEEN_SHMEM, shmem->shmid, shmem, "shared memory");
	if (ret < 0)
		return ret;
	if (shmem->size > (uint64_t)INT64_MAX - v->snap->page_size)
		return err_set(v->err, -EBADMSG, "shared memory %llu has %llu bytes", id,
			       (unsigned long long)shmem->size);
	array_each(const struct page_range, range, &shmem->pages) {
		uint64_t end = range_end(v, range, top);

		if (!end || range->vaddr < last || range->img_off != img_off ||
		    range->shared_with || range->guard)
			return err_set(v->err, -EBADMSG,
				       "shared memory %llu: %llu pages at %llx are "
				       "out of place",
				       id, (unsigned long long)range->nr_pages,
				       (unsigned long long)range->vaddr);
		last = end;
		img_off += end - range->vaddr;
	}
	return img_off ? validate_unique(v, SEEN_PAGES, shmem->pages_id, shmem, "pages file") : 0;
}

int validate_memory(struct validate *v)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < v->snap->mms.n; i++)
		ret = check_mm(v, v->snap->mms.v[i]);
	for (size_t i = 0; ret == 0 && i < v->snap->mms.n; i++)
		ret = check_sharing(v, v->snap->mms.v[i]);
	for (size_t i = 0; ret == 0 && i < v->snap->shmems.n; i++)
		ret = check_shmem(v, v->snap->shmems.v[i]);
	return ret;
}
