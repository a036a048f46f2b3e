/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory at dump: which pages of the frozen tree go into the image, and their way there. A page
 * that several tasks share copy-on-write is stored once.
 */
#ifndef CRIB_MEM_MEM_H
#define CRIB_MEM_MEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "image/store.h"
#include "model/snapshot.h"

struct mem_stats {
	uint64_t pages_scanned, pages_written, pages_shared;
	uint64_t shmem_pages_scanned, shmem_pages_written;
};

/*
 * Fills mm->pages of every address space and shmem->pages of every shared memory. The tasks are
 * stopped. With @share, pages that another task has at the same address are marked shared_with the
 * first task in tree order that has them. 0 or -errno.
 */
int mem_scan(struct snapshot *snap, bool share, struct mem_stats *stats, struct err *err);

/*
 * Writes the contents found by mem_scan() into pages-N.img parts of @dir; sets pages_id and
 * img_off; counts bytes in @progress. 0 or -errno.
 */
int mem_write(struct snapshot *snap, struct image_dir *dir, struct mem_stats *stats,
	      struct progress *progress, struct err *err);

#endif /* CRIB_MEM_MEM_H */
