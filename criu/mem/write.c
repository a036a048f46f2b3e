// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page contents on their way from stopped tasks into the image: process_vm_readv() into a buffer
 * that stays in the cache, one write(2) each. It pins pages, for which the kernel gives a task its
 * own copy of a page that it shares copy-on-write (gup_must_unshare() in mm/internal.h): such pages
 * are read by /proc/PID/mem, which does not, and so are mappings that the task may not read itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "mem/mem.h"
#include "mem/shmem.h"

enum { CHUNK = 512 * 1024, MAX_PIECES = 128 };

struct pump {
	struct snapshot *snap;
	struct image_part part;
	char *buf; /* CHUNK bytes */
	pid_t pid;
	struct progress *progress;
	int mem_fd; /* /proc/PID/mem, opened when it is needed first */
	struct iovec pieces[MAX_PIECES];
	size_t nr_pieces, pending; /* bytes in all pieces */
	bool cow; /* all of them are to be read without pinning */
};

/* Reads one piece with the access of a debugger, which ignores protection. */
static int read_by_mem(struct pump *pump, char *to, const struct iovec *piece, struct err *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pump->pid);
	if (pump->mem_fd < 0)
		pump->mem_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pump->mem_fd < 0)
		return err_sys(err, "open '%s'", path);
	ssize_t got = io_pread(pump->mem_fd, to, piece->iov_len,
			       (off_t)(uintptr_t)piece->iov_base);
	if (got < 0)
		return err_ret(err, (int)got, "read memory of task %d at %p", pump->pid,
			       piece->iov_base);
	if ((size_t)got < piece->iov_len)
		return err_set(err, -EIO, "read memory of task %d at %p: %zd of %zu bytes",
			       pump->pid, piece->iov_base, got, piece->iov_len);
	return 0;
}

static int read_pieces(struct pump *pump, struct err *err)
{
	struct iovec local = { .iov_base = pump->buf, .iov_len = pump->pending };
	char *to = pump->buf;

	if (!pump->cow) {
		ssize_t got = process_vm_readv(pump->pid, &local, 1, pump->pieces,
					       pump->nr_pieces, 0);

		if (got == (ssize_t)pump->pending)
			return 0;
		if (got < 0 && errno != EFAULT)
			return err_sys(err, "read memory of task %d at %p", pump->pid,
				       pump->pieces[0].iov_base);
	}
	for (size_t i = 0; i < pump->nr_pieces; i++) {
		int ret = read_by_mem(pump, to, &pump->pieces[i], err);

		if (ret < 0)
			return ret;
		to += pump->pieces[i].iov_len;
	}
	return 0;
}

static int flush_pieces(struct pump *pump, struct err *err)
{
	int ret = 0;

	if (pump->pending) {
		ret = read_pieces(pump, err);
		if (ret == 0)
			ret = image_part_write(&pump->part, pump->buf, pump->pending, err);
		pump->progress->done += pump->pending;
	}
	pump->nr_pieces = pump->pending = 0;
	return ret;
}

static int pump_range(struct pump *pump, struct page_range *range, struct err *err)
{
	uint64_t at = range->vaddr, left = range->nr_pages * pump->snap->page_size;

	if (pump->cow != range->cow) {
		int ret = flush_pieces(pump, err);

		if (ret < 0)
			return ret;
		pump->cow = range->cow;
	}
	range->img_off = pump->part.size + pump->pending;
	while (left) {
		size_t room = CHUNK - pump->pending;
		size_t len = left < room ? left : room;

		pump->pieces[pump->nr_pieces++] = (struct iovec){
			.iov_base = (void *)(uintptr_t)at, .iov_len = len,
		};
		pump->pending += len;
		at += len;
		left -= len;
		if (pump->pending == CHUNK || pump->nr_pieces == MAX_PIECES) {
			int ret = flush_pieces(pump, err);

			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

static int write_mm(struct pump *pump, struct mm *mm, struct mem_stats *stats, struct err *err)
{
	int ret = 0;

	pump->pid = mm->owner->pid;
	for (size_t i = 0; i < mm->pages.n && ret == 0; i++) {
		struct page_range *range = &mm->pages.v[i];

		if (range->guard || range->shared_with)
			continue;
		ret = pump_range(pump, range, err);
		stats->pages_written += range->nr_pages;
	}
	if (ret == 0)
		ret = flush_pieces(pump, err);
	cleanup_close(&pump->mem_fd);
	pump->mem_fd = -1;
	return ret;
}

static int write_shmem(struct pump *pump, struct shmem *shmem, struct mem_stats *stats,
		       struct err *err)
{
	_cleanup_close_ int fd = shmem_open(shmem, err);
	int ret = fd < 0 ? fd : 0;

	for (size_t i = 0; i < shmem->pages.n && ret == 0; i++) {
		struct page_range *range = &shmem->pages.v[i];
		uint64_t size = range->nr_pages * pump->snap->page_size;

		range->img_off = pump->part.size;
		for (uint64_t done = 0; done < size && ret == 0;) {
			size_t len = size - done < CHUNK ? size - done : CHUNK;
			ssize_t got = io_pread(fd, pump->buf, len, (off_t)(range->vaddr + done));

			if (got < 0)
				return err_ret(err, (int)got, "read shared memory %llu",
					       (unsigned long long)shmem->shmid);
			/* the last page of an odd-sized memfd */
			for (size_t pad = (size_t)got; pad < len; pad++)
				pump->buf[pad] = 0;
			ret = image_part_write(&pump->part, pump->buf, len, err);
			done += len;
			pump->progress->done += len;
		}
		stats->shmem_pages_written += range->nr_pages;
	}
	return ret;
}

static int end_part(struct pump *pump, int ret, struct err *err)
{
	if (ret == 0)
		return image_part_close(&pump->part, err);
	image_part_discard(&pump->part);
	return ret;
}

static uint64_t bytes_to_write(const struct snapshot *snap)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < snap->mms.n; i++)
		array_each(struct page_range, range, &snap->mms.v[i]->pages)
			pages += range->guard || range->shared_with ? 0 : range->nr_pages;
	for (size_t i = 0; i < snap->shmems.n; i++)
		array_each(struct page_range, range, &snap->shmems.v[i]->pages)
			pages += range->nr_pages;
	return pages * snap->page_size;
}

int mem_write(struct snapshot *snap, struct image_dir *dir, struct mem_stats *stats,
	      struct progress *progress, struct err *err)
{
	_cleanup_free_ char *buf = xzalloc(CHUNK);
	struct pump pump = { .snap = snap, .buf = buf, .mem_fd = -1, .progress = progress };
	uint32_t next_id = 1;
	int ret = 0;

	progress->done = 0;
	progress->total = bytes_to_write(snap);

	for (size_t i = 0; i < snap->mms.n && ret == 0; i++) {
		struct mm *mm = snap->mms.v[i];

		mm->pages_id = next_id++;
		ret = image_part_open(&pump.part, dir, IMG_PAGES, mm->pages_id, err);
		if (ret == 0)
			ret = end_part(&pump, write_mm(&pump, mm, stats, err), err);
	}
	for (size_t i = 0; i < snap->shmems.n && ret == 0; i++) {
		struct shmem *shmem = snap->shmems.v[i];

		shmem->pages_id = next_id++;
		ret = image_part_open(&pump.part, dir, IMG_PAGES, shmem->pages_id, err);
		if (ret == 0)
			ret = end_part(&pump, write_shmem(&pump, shmem, stats, err), err);
	}
	return ret;
}
