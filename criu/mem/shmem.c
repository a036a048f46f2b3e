// SPDX-License-Identifier: GPL-2.0-only
/*
 * Contents of shared memory, see shmem.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "mem/shmem.h"

/* The mapping of task->mm that shows shmem->offset. */
static const struct vma *find_mapping(const struct shmem *shmem)
{
	array_each(struct vma, vma, &shmem->task->mm->vmas)
		if (vma->start == shmem->vaddr)
			return vma;
	return NULL;
}

int shmem_open(const struct shmem *shmem, struct err *err)
{
	char path[96];

	if (shmem->memfd) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", shmem->memfd->borrowed_fd);
	} else {
		const struct vma *vma = find_mapping(shmem);

		snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", shmem->task->pid,
			 (unsigned long long)vma->start, (unsigned long long)vma->end);
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_sys(err, "open shared memory %llu by '%s'",
				(unsigned long long)shmem->shmid, path) :
			fd;
}

int shmem_scan(struct snapshot *snap, struct shmem *shmem, struct mem_stats *stats, struct err *err)
{
	_cleanup_close_ int fd = shmem_open(shmem, err);
	off_t size = (off_t)snap->page_size;

	if (fd < 0)
		return fd;
	for (off_t end = 0;;) {
		off_t start = lseek(fd, end, SEEK_DATA);

		if (start < 0 && errno == ENXIO)
			return 0;
		if (start >= 0)
			end = lseek(fd, start, SEEK_HOLE);
		if (start < 0 || end < 0)
			return err_sys(err, "seek data of shared memory %llu",
				       (unsigned long long)shmem->shmid);
		start = ALIGN_DOWN(start, size);
		end = ALIGN_UP(end, size);
		*array_push(&snap->arena, &shmem->pages) = (struct page_range){
			.vaddr = (uint64_t)start,
			.nr_pages = (uint64_t)(end - start) / snap->page_size,
		};
		stats->shmem_pages_scanned += (uint64_t)(end - start) / snap->page_size;
	}
}
