// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading /proc/PID/pagemap: Documentation/admin-guide/mm/pagemap.rst of the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "mem/pagemap.h"

/* Bits of a pagemap word. */
#define WORD_PRESENT   (1ULL << 63)
#define WORD_SWAPPED   (1ULL << 62)
#define WORD_FILE      (1ULL << 61) /* a file's page, or shared memory */
#define WORD_GUARD     (1ULL << 58) /* since 6.15 */
#define WORD_EXCLUSIVE (1ULL << 56)
#define WORD_FRAME     ((1ULL << 55) - 1)

/* include/uapi/linux/fs.h, named here since headers older than 6.7 lack it. */
#define SCAN_FILE    (1ULL << 2)
#define SCAN_PRESENT (1ULL << 3)
#define SCAN_SWAPPED (1ULL << 4)
#define SCAN_PFNZERO (1ULL << 5)
#define SCAN_GUARD   (1ULL << 8) /* since 6.15 */

struct scan_region {
	__u64 start, end, categories;
};

struct scan_arg {
	__u64 size, flags, start, end, walk_end;
	__u64 vec, vec_len, max_pages;
	__u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_arg)

enum { REGIONS_PER_CALL = 512, WORDS_PER_READ = 64 * 1024 };

int pagemap_open(struct pagemap *pagemap, pid_t pid, struct err *err)
{
	char path[64];

	*pagemap = (struct pagemap){ .pid = pid, .page_size = (uint32_t)sysconf(_SC_PAGESIZE) };
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap->fd = open(path, O_RDONLY | O_CLOEXEC);
	return pagemap->fd < 0 ? err_sys(err, "open '%s'", path) : 0;
}

void pagemap_close(struct pagemap *pagemap)
{
	cleanup_close(&pagemap->fd);
	pagemap->fd = -1;
}

int pagemap_read(struct pagemap *pagemap, uint64_t start, uint64_t nr_pages, uint64_t *ret_words,
		 struct err *err)
{
	size_t size = nr_pages * sizeof(*ret_words);
	off_t off = (off_t)(start / pagemap->page_size * sizeof(*ret_words));
	ssize_t got = io_pread(pagemap->fd, ret_words, size, off);

	if (got < 0)
		return err_ret(err, (int)got, "read '/proc/%d/pagemap' at %llx", pagemap->pid,
			       (unsigned long long)start);
	if ((size_t)got < size) /* behind the end of user space */
		memset((char *)ret_words + got, 0, size - (size_t)got);
	return 0;
}

uint64_t pagemap_shared_frame(uint64_t word)
{
	if (!(word & WORD_PRESENT) || (word & (WORD_FILE | WORD_EXCLUSIVE)))
		return 0;
	return word & WORD_FRAME;
}

bool pagemap_may_be_pinned(uint64_t word)
{
	return !(word & WORD_PRESENT) || (word & (WORD_FILE | WORD_EXCLUSIVE));
}

/* Neighbouring pages of one kind are handed on as one run. */
struct run {
	pagemap_fn *fn;
	void *ctx;
	uint64_t start, end;
	enum page_kind kind;
};

static int run_flush(struct run *run)
{
	int ret = run->end > run->start ? run->fn(run->ctx, run->start, run->end, run->kind) : 0;

	run->start = run->end = 0;
	return ret;
}

static int run_add(struct run *run, uint64_t start, uint64_t end, enum page_kind kind)
{
	if (run->end == start && run->end > run->start && run->kind == kind) {
		run->end = end;
		return 0;
	}
	int ret = run_flush(run);
	run->start = start;
	run->end = end;
	run->kind = kind;
	return ret;
}

static int walk_scan(struct pagemap *pagemap, uint64_t start, uint64_t end, struct run *run)
{
	struct scan_region regions[REGIONS_PER_CALL];
	struct scan_arg arg = {
		.size = sizeof(arg),
		.start = start,
		.end = end,
		.vec = (uintptr_t)regions,
		.vec_len = REGIONS_PER_CALL,
		.category_inverted = SCAN_FILE,
		.category_mask = SCAN_FILE,
		.category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
		.return_mask = SCAN_PRESENT | SCAN_SWAPPED | SCAN_PFNZERO | SCAN_GUARD,
	};

	arg.category_anyof_mask |= pagemap->no_guard ? 0 : SCAN_GUARD;
	arg.return_mask &= pagemap->no_guard ? ~SCAN_GUARD : ~0ULL;
	while (arg.start < end) {
		int n = ioctl(pagemap->fd, SCAN_IOCTL, &arg);

		if (n < 0)
			return -errno;
		for (int i = 0; i < n; i++) {
			__u64 categories = regions[i].categories;

			if (categories & SCAN_PFNZERO)
				continue;
			int ret = run_add(run, regions[i].start, regions[i].end,
					  categories & SCAN_GUARD ? PAGE_GUARD : PAGE_PRIVATE);
			if (ret < 0)
				return ret;
		}
		arg.start = arg.walk_end;
	}
	return 0;
}

static int walk_words(struct pagemap *pagemap, uint64_t start, uint64_t end, struct run *run,
		      struct err *err)
{
	uint64_t size = pagemap->page_size;
	_cleanup_free_ uint64_t *words = xzalloc(WORDS_PER_READ * sizeof(*words));

	while (start < end) {
		uint64_t n = (end - start) / size;

		n = n < WORDS_PER_READ ? n : WORDS_PER_READ;
		int ret = pagemap_read(pagemap, start, n, words, err);
		for (uint64_t i = 0; i < n && ret == 0; i++) {
			uint64_t at = start + i * size;

			if (words[i] & WORD_GUARD)
				ret = run_add(run, at, at + size, PAGE_GUARD);
			else if ((words[i] & (WORD_PRESENT | WORD_SWAPPED)) &&
				 !(words[i] & WORD_FILE))
				ret = run_add(run, at, at + size, PAGE_PRIVATE);
		}
		if (ret < 0)
			return ret;
		start += n * size;
	}
	return 0;
}

int pagemap_walk(struct pagemap *pagemap, uint64_t start, uint64_t end, pagemap_fn *fn, void *ctx,
		 struct err *err)
{
	struct run run = { .fn = fn, .ctx = ctx };
	int ret = -ENOTTY;

	if (!pagemap->no_scan) {
		ret = walk_scan(pagemap, start, end, &run);
		if (ret == -EINVAL && !pagemap->no_guard) { /* before 6.15: no such category */
			pagemap->no_guard = true;
			ret = walk_scan(pagemap, start, end, &run);
		}
		pagemap->no_scan = ret == -ENOTTY;
		if (ret < 0 && !pagemap->no_scan)
			return err_ret(err, ret, "scan the pages of task %d at %llx", pagemap->pid,
				       (unsigned long long)start);
	}
	if (pagemap->no_scan)
		ret = walk_words(pagemap, start, end, &run, err);
	return ret < 0 ? ret : run_flush(&run);
}
