// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finding the pages that go into the image.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hashmap.h"
#include "mem/mem.h"
#include "mem/pagemap.h"
#include "mem/shmem.h"
#include "vma/vma.h"

/* Short runs mostly stand close to each other: one read serves some of them. */
enum { WORDS_PER_READ = 4096, READ_AHEAD = 64 };

struct scan {
	struct snapshot *snap;
	struct mem_stats *stats;
	struct err *err;
	struct hashmap frames; /* (frame, address): the struct task that has it first */
	bool share;
	/* of the address space at hand */
	struct mm *mm;
	struct pagemap pagemap;
	/* of the mappings at hand, which follow one another without a hole */
	uint64_t end;
	uint64_t words[WORDS_PER_READ]; /* of the pages from words_start to words_end */
	uint64_t words_start, words_end;
};

static void add_range(struct scan *scan, uint64_t start, uint64_t end, struct page_range like)
{
	struct mm *mm = scan->mm;
	struct page_range *last = mm->pages.n ? &mm->pages.v[mm->pages.n - 1] : NULL;
	uint64_t size = scan->snap->page_size;
	uint64_t nr_pages = (end - start) / size;

	if (last && last->vaddr + last->nr_pages * size == start && last->guard == like.guard &&
	    last->cow == like.cow && last->shared_with == like.shared_with) {
		last->nr_pages += nr_pages;
		return;
	}
	like.vaddr = start;
	like.nr_pages = nr_pages;
	*array_push(&scan->snap->arena, &mm->pages) = like;
}

/* The task that has the page at @vaddr with this pagemap word already; NULL: nobody. */
static struct task *find_first_owner(struct scan *scan, uint64_t word, uint64_t vaddr)
{
	uint64_t frame = pagemap_shared_frame(word);

	if (!frame || !scan->share)
		return NULL;
	struct task *first = hashmap_get(&scan->frames, frame, vaddr);
	if (!first)
		hashmap_put(&scan->frames, frame, vaddr, scan->mm->owner);
	return first;
}

/* Has the pagemap words from @start on at hand, of @end at most and some more. */
static int read_words(struct scan *scan, uint64_t start, uint64_t end)
{
	uint64_t size = scan->snap->page_size;
	uint64_t n = (end - start) / size, left = (scan->end - start) / size;

	n = n < READ_AHEAD ? READ_AHEAD : n;
	n = n < left ? n : left;
	n = n < WORDS_PER_READ ? n : WORDS_PER_READ;
	int ret = pagemap_read(&scan->pagemap, start, n, scan->words, scan->err);
	scan->words_start = start;
	scan->words_end = ret < 0 ? start : start + n * size;
	return ret;
}

/* A run of private pages is cut where sharing begins or ends. */
static int add_private_run(struct scan *scan, uint64_t start, uint64_t end)
{
	uint64_t size = scan->snap->page_size;

	for (; start < end; start += size) {
		if (start < scan->words_start || start >= scan->words_end) {
			int ret = read_words(scan, start, end);

			if (ret < 0)
				return ret;
		}
		uint64_t word = scan->words[(start - scan->words_start) / size];
		struct task *first = find_first_owner(scan, word, start);

		scan->stats->pages_shared += first != NULL;
		add_range(scan, start, start + size,
			  (struct page_range){
				  .shared_with = first,
				  .cow = !pagemap_may_be_pinned(word),
			  });
	}
	return 0;
}

static int add_run(void *ctx, uint64_t start, uint64_t end, enum page_kind kind)
{
	struct scan *scan = ctx;

	scan->stats->pages_scanned += (end - start) / scan->snap->page_size;
	if (kind == PAGE_PRIVATE)
		return add_private_run(scan, start, end);
	add_range(scan, start, end, (struct page_range){ .guard = true });
	return 0;
}

static bool is_scanned(const struct vma *vma)
{
	return !(vma->status & VMA_AREA_VDSO) && vma_has_private_pages(vma);
}

/* Scans mapping *@i and those that follow it without a hole: a call takes longer than a page. */
static int scan_vmas(struct scan *scan, size_t *i)
{
	const struct vma *first = &scan->mm->vmas.v[*i], *last = first;

	for (++*i; *i < scan->mm->vmas.n; ++*i) {
		const struct vma *next = &scan->mm->vmas.v[*i];

		if (next->start != last->end || !is_scanned(next))
			break;
		last = next;
	}
	scan->end = last->end;
	scan->words_start = scan->words_end = 0;
	return pagemap_walk(&scan->pagemap, first->start, last->end, add_run, scan, scan->err);
}

/* All of it, whatever its pages are: the kernel's own, or copies that a debugger wrote to. */
static int add_vdso(struct scan *scan, const struct vma *vma)
{
	uint64_t size = scan->snap->page_size;

	scan->end = vma->end;
	for (uint64_t at = vma->start; at < vma->end; at = scan->words_end) {
		int ret = read_words(scan, at, vma->end);

		if (ret < 0)
			return ret;
		for (uint64_t page = at; page < scan->words_end; page += size) {
			uint64_t word = scan->words[(page - at) / size];

			add_range(scan, page, page + size,
				  (struct page_range){ .cow = !pagemap_may_be_pinned(word) });
		}
	}
	return 0;
}

static int scan_mm(struct scan *scan, struct mm *mm)
{
	int ret = pagemap_open(&scan->pagemap, mm->owner->pid, scan->err);

	scan->mm = mm;
	for (size_t i = 0; i < mm->vmas.n && ret == 0;) {
		const struct vma *vma = &mm->vmas.v[i];

		if (is_scanned(vma)) {
			ret = scan_vmas(scan, &i);
			continue;
		}
		if (vma->status & VMA_AREA_VDSO)
			ret = add_vdso(scan, vma);
		i++;
	}
	pagemap_close(&scan->pagemap);
	return err_wrap(scan->err, ret, "task %d", mm->owner->pid);
}

int mem_scan(struct snapshot *snap, bool share, struct mem_stats *stats, struct err *err)
{
	struct scan *scan = xzalloc(sizeof(*scan));
	int ret = 0;

	*scan = (struct scan){
		.snap = snap, .stats = stats, .err = err, .share = share && snap->mms.n > 1
	};
	for (size_t i = 0; i < snap->mms.n && ret == 0; i++)
		ret = scan_mm(scan, snap->mms.v[i]);
	hashmap_fini(&scan->frames);
	free(scan);
	for (size_t i = 0; i < snap->shmems.n && ret == 0; i++)
		ret = shmem_scan(snap, snap->shmems.v[i], stats, err);
	return ret;
}
