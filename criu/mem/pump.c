// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pump, see pump.h. process_vm_readv() into a buffer that stays in the cache, then one
 * pwrite(2). It pins pages, for which the kernel gives a task its own copy of a page that it shares
 * copy-on-write (gup_must_unshare() in mm/internal.h): such pages are read by /proc/PID/mem, which
 * does not, and so are mappings that the task may not read itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "image/crc32c.h"
#include "mem/pump.h"

enum {
	SEGMENT = 512 * 1024, /* fits a core's cache */
	MAX_PIECES = 128,     /* of a segment */
	MAX_WORKERS = 4,
	/* below so many bytes starting a thread costs more than it saves */
	BYTES_PER_WORKER = 8 * 1024 * 1024,
};

/* A stretch of the pages file: consecutive pieces of memory. */
struct segment {
	size_t first, nr_pieces;
	uint64_t off; /* in the file */
	uint32_t len; /* bytes, at most SEGMENT */
	bool cow;     /* its pages are to be read without pinning */
	bool written;
	uint32_t crc;
};

struct pump {
	const struct pump_source *source;
	struct image_part *part;
	struct progress *progress;
	struct arena arena;
	ARRAY(struct iovec) pieces;
	ARRAY(struct segment) segments;
	uint32_t longest;     /* bytes of a segment */
	int mem_fd;           /* /proc/PID/mem; -1: not needed or not yet open */
	pthread_mutex_t lock; /* of mem_fd, err, failed, written and adopted */
	size_t adopted;       /* segments that the part knows of, in order */
	size_t next;          /* segment to be taken by a worker */
	int failed;           /* -errno of the first failure */
	struct err *err;
};

/* ---- Cutting ---- */

static struct segment *segment_with_room(struct pump *pump, uint64_t off, bool cow)
{
	struct segment *last = pump->segments.n ? &pump->segments.v[pump->segments.n - 1] : NULL;

	if (last && last->cow == cow && last->len < SEGMENT && last->nr_pieces < MAX_PIECES)
		return last;
	last = array_push(&pump->arena, &pump->segments);
	*last = (struct segment){ .first = pump->pieces.n, .off = off, .cow = cow };
	return last;
}

static uint64_t cut_range(struct pump *pump, struct page_range *range, uint64_t off,
			  uint32_t page_size)
{
	uint64_t at = range->vaddr, left = range->nr_pages * page_size;

	range->img_off = off;
	while (left) {
		struct segment *segment = segment_with_room(pump, off, range->cow);
		uint32_t room = SEGMENT - segment->len;
		uint32_t len = left < room ? (uint32_t)left : room;

		*array_push(&pump->arena, &pump->pieces) = (struct iovec){
			.iov_base = (void *)(uintptr_t)at,
			.iov_len = len,
		};
		segment->nr_pieces++;
		segment->len += len;
		at += len;
		off += len;
		left -= len;
	}
	return off;
}

/* ---- Reading ---- */

static int open_mem(struct pump *pump, struct err *err)
{
	char path[32];
	int ret = 0;

	snprintf(path, sizeof(path), "/proc/%d/mem", pump->source->pid);
	pthread_mutex_lock(&pump->lock);
	if (pump->mem_fd < 0)
		pump->mem_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (pump->mem_fd < 0)
		ret = err_sys(err, "open '%s'", path);
	pthread_mutex_unlock(&pump->lock);
	return ret;
}

/* With the access of a debugger, which ignores protection. */
static int read_by_mem(struct pump *pump, const struct segment *segment, char *to, struct err *err)
{
	int ret = open_mem(pump, err);

	for (size_t i = 0; i < segment->nr_pieces && ret == 0; i++) {
		const struct iovec *piece = &pump->pieces.v[segment->first + i];
		ssize_t got = io_pread(pump->mem_fd, to, piece->iov_len,
				       (off_t)(uintptr_t)piece->iov_base);

		if (got < 0)
			ret = err_ret(err, (int)got, "read memory of task %d at %p",
				      pump->source->pid, piece->iov_base);
		else if ((size_t)got < piece->iov_len)
			ret = err_set(err, -EIO, "read memory of task %d at %p: %zd of %zu bytes",
				      pump->source->pid, piece->iov_base, got, piece->iov_len);
		to += piece->iov_len;
	}
	return ret;
}

/* A file may end within its last page: the rest of that is zeroes. */
static int read_by_file(struct pump *pump, const struct segment *segment, char *to, struct err *err)
{
	for (size_t i = 0; i < segment->nr_pieces; i++) {
		const struct iovec *piece = &pump->pieces.v[segment->first + i];
		ssize_t got = io_pread(pump->source->fd, to, piece->iov_len,
				       (off_t)(uintptr_t)piece->iov_base);

		if (got < 0)
			return err_ret(err, (int)got, "read shared memory at offset %p",
				       piece->iov_base);
		memset(to + got, 0, piece->iov_len - (size_t)got);
		to += piece->iov_len;
	}
	return 0;
}

static int read_segment(struct pump *pump, const struct segment *segment, char *to, struct err *err)
{
	struct iovec local = { .iov_base = to, .iov_len = segment->len };
	const struct iovec *remote = &pump->pieces.v[segment->first];

	if (pump->source->fd >= 0)
		return read_by_file(pump, segment, to, err);
	if (!segment->cow) {
		ssize_t got = process_vm_readv(pump->source->pid, &local, 1, remote,
					       segment->nr_pieces, 0);

		if (got == (ssize_t)segment->len)
			return 0;
		if (got < 0 && errno != EFAULT)
			return err_sys(err, "read memory of task %d at %p", pump->source->pid,
				       remote->iov_base);
	}
	return read_by_mem(pump, segment, to, err);
}

/* ---- Working ---- */

static void note_failure(struct pump *pump, int ret, const struct err *err)
{
	pthread_mutex_lock(&pump->lock);
	if (!pump->failed) {
		pump->failed = ret;
		*pump->err = *err;
	}
	pthread_mutex_unlock(&pump->lock);
}

/* The part begins to bring to the disk what it knows of, so it is told as early as can be. */
static void adopt(struct pump *pump, struct segment *segment)
{
	pthread_mutex_lock(&pump->lock);
	segment->written = true;
	while (pump->adopted < pump->segments.n && pump->segments.v[pump->adopted].written) {
		const struct segment *next = &pump->segments.v[pump->adopted++];

		image_part_adopt(pump->part, next->len, next->crc);
	}
	pthread_mutex_unlock(&pump->lock);
}

static void *work(void *arg)
{
	struct pump *pump = arg;
	_cleanup_free_ char *buf = xrealloc(NULL, pump->longest);
	struct err err = ERR_INIT;

	while (!__atomic_load_n(&pump->failed, __ATOMIC_RELAXED)) {
		size_t i = __atomic_fetch_add(&pump->next, 1, __ATOMIC_RELAXED);

		if (i >= pump->segments.n)
			break;
		struct segment *segment = &pump->segments.v[i];
		int ret = read_segment(pump, segment, buf, &err);
		if (ret == 0) {
			segment->crc = crc32c(0, buf, segment->len);
			ret = io_pwrite(pump->part->fd, buf, segment->len, (off_t)segment->off);
			if (ret < 0)
				image_part_failed(pump->part, "write", ret, &err);
		}
		if (ret < 0)
			note_failure(pump, ret, &err);
		else
			adopt(pump, segment);
		__atomic_add_fetch(&pump->progress->done, segment->len, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void run_workers(struct pump *pump, uint64_t bytes)
{
	pthread_t threads[MAX_WORKERS];
	size_t wanted = bytes / BYTES_PER_WORKER, started = 0;
	/* asking takes a look into /sys */
	long cpus = wanted > 1 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;

	if (wanted > MAX_WORKERS)
		wanted = MAX_WORKERS;
	if (cpus > 0 && wanted > (size_t)cpus)
		wanted = (size_t)cpus;
	/* this thread is one of them; where no more can be had it does it alone */
	while (started + 1 < wanted && !pthread_create(&threads[started], NULL, work, pump))
		started++;
	work(pump);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

int pump_ranges(const struct pump_source *source, struct page_range *ranges, size_t n,
		uint32_t page_size, struct image_part *part, struct progress *progress,
		struct err *err)
{
	struct pump pump = { .source = source,
			     .part = part,
			     .progress = progress,
			     .mem_fd = -1,
			     .lock = PTHREAD_MUTEX_INITIALIZER,
			     .err = err };
	uint64_t off = part->size;
	int ret = image_part_flush(part, err);

	for (size_t i = 0; i < n; i++)
		if (!ranges[i].guard && !ranges[i].shared_with)
			off = cut_range(&pump, &ranges[i], off, page_size);
	array_each(struct segment, segment, &pump.segments)
		pump.longest = segment->len > pump.longest ? segment->len : pump.longest;
	if (ret == 0)
		ret = image_part_reserve(part, off - part->size, err);
	if (ret == 0 && pump.segments.n) {
		run_workers(&pump, off - part->size);
		ret = pump.failed;
	}
	cleanup_close(&pump.mem_fd);
	arena_fini(&pump.arena);
	return ret;
}
