/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages whose content follows from few numbers, so that any change of any byte is seen.
 */
#include <inttypes.h>
#include <sys/mman.h>

#include "target.h"

enum { COMMON_PAGES = 64, COMMON_SEED = 77 };

static struct page *common;

/* xorshift64 */
static uint64_t next_random(uint64_t x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

static uint64_t words_sum(const struct page *page)
{
	uint64_t sum = page->generation;
	for (size_t i = 0; i < sizeof(page->words) / sizeof(*page->words); i++)
		sum = (sum << 7 | sum >> 57) ^ page->words[i];
	return sum;
}

void page_fill(struct page *page, uint64_t seed, uint64_t generation)
{
	uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15 + generation;
	page->generation = generation;
	for (size_t i = 0; i < sizeof(page->words) / sizeof(*page->words); i++)
		page->words[i] = x = next_random(x);
	page->sum = words_sum(page);
}

void page_check(const struct board_worker *worker, const struct page *page, uint64_t seed,
		uint64_t generation)
{
	if (page->generation != generation)
		worker_fail(worker,
			    "page %" PRIu64 " is of generation %" PRIu64 " instead of %" PRIu64,
			    seed, page->generation, generation);
	if (page->sum != words_sum(page))
		worker_fail(worker,
			    "page %" PRIu64 " of generation %" PRIu64 ": the checksum is "
			    "wrong",
			    seed, generation);
	uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15 + generation;
	if (page->words[0] != next_random(x))
		worker_fail(worker, "page %" PRIu64 " holds another page", seed);
}

struct page *pages_map(size_t count, int flags, int fd)
{
	struct page *pages =
		mmap(NULL, count * sizeof(*pages), PROT_READ | PROT_WRITE, flags, fd, 0);
	if (pages == MAP_FAILED)
		die("map pages");
	return pages;
}

void common_pages_make(void)
{
	common = pages_map(COMMON_PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	for (size_t i = 0; i < COMMON_PAGES; i++)
		page_fill(&common[i], COMMON_SEED + i, 1);
}

void common_pages_check(const struct board_worker *worker, size_t which)
{
	which %= COMMON_PAGES;
	page_check(worker, &common[which], COMMON_SEED + which, 1);
}
