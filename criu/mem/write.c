// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages files of a dump: one for each address space and each shared memory.
 */
#include "base/cleanup.h"
#include "mem/mem.h"
#include "mem/pump.h"
#include "mem/shmem.h"

static uint64_t pages_to_write(const struct page_range *ranges, size_t n)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < n; i++)
		pages += ranges[i].guard || ranges[i].shared_with ? 0 : ranges[i].nr_pages;
	return pages;
}

static int write_part(const struct pump_source *source, struct page_range *ranges, size_t n,
		      uint32_t page_size, struct image_dir *dir, uint32_t pages_id,
		      struct progress *progress, struct err *err)
{
	struct image_part part;
	int ret = image_part_open(&part, dir, IMG_PAGES, pages_id, err);

	if (ret < 0)
		return ret;
	ret = pump_ranges(source, ranges, n, page_size, &part, progress, err);
	if (ret == 0)
		return image_part_close(&part, err);
	image_part_discard(&part);
	return ret;
}

static uint64_t count_bytes(const struct snapshot *snap)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < snap->mms.n; i++)
		pages += pages_to_write(snap->mms.v[i]->pages.v, snap->mms.v[i]->pages.n);
	for (size_t i = 0; i < snap->shmems.n; i++)
		pages += pages_to_write(snap->shmems.v[i]->pages.v, snap->shmems.v[i]->pages.n);
	return pages * snap->page_size;
}

static int write_shmem(struct snapshot *snap, struct shmem *shmem, struct image_dir *dir,
		       struct progress *progress, struct err *err)
{
	_cleanup_close_ int fd = shmem_open(shmem, err);

	if (fd < 0)
		return fd;
	return write_part(&(struct pump_source){ .fd = fd }, shmem->pages.v, shmem->pages.n,
			  snap->page_size, dir, shmem->pages_id, progress, err);
}

int mem_write(struct snapshot *snap, struct image_dir *dir, struct mem_stats *stats,
	      struct progress *progress, struct err *err)
{
	uint32_t next_id = 1;
	int ret = 0;

	progress->done = 0;
	progress->total = count_bytes(snap);
	for (size_t i = 0; i < snap->mms.n && ret == 0; i++) {
		struct mm *mm = snap->mms.v[i];

		mm->pages_id = next_id++;
		ret = write_part(&(struct pump_source){ .pid = mm->owner->pid, .fd = -1 },
				 mm->pages.v, mm->pages.n, snap->page_size, dir, mm->pages_id,
				 progress, err);
		stats->pages_written += pages_to_write(mm->pages.v, mm->pages.n);
	}
	for (size_t i = 0; i < snap->shmems.n && ret == 0; i++) {
		struct shmem *shmem = snap->shmems.v[i];

		shmem->pages_id = next_id++;
		ret = write_shmem(snap, shmem, dir, progress, err);
		stats->shmem_pages_written += pages_to_write(shmem->pages.v, shmem->pages.n);
	}
	return ret;
}
