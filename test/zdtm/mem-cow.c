/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 16 MB that a parent shares with three children: every page is what its task made of it, and the
 * pages that a task did not change after the fork are still one page for all that have it.
 */
#include <stdlib.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

enum { CHILDREN = 3, TASKS = CHILDREN + 1, SIZE = 16 << 20, KINDS = 16 };

static unsigned char *mem;
static size_t page, pages;

/* Which tasks have changed page @index: a mask, bit 0 for the parent. */
static unsigned int writers_of(size_t index)
{
	static const unsigned int masks[KINDS] = {
		[1] = 1 << 1, [2] = 1 << 2, [3] = 0xe, [4] = 1 << 0, [5] = 0x3, [9] = 0xf
	};
	return index / 3 % 50 ? masks[index % KINDS] : 0;
}

static uint32_t seed_of(unsigned int task, size_t index)
{
	bool own = writers_of(index) >> task & 1;
	return (uint32_t)index * 8 + (own ? 1 + task : 0);
}

static void write_own(unsigned int task)
{
	for (size_t i = 0; i < pages; i++)
		if (writers_of(i) >> task & 1)
			mem_fill(mem + i * page, page, seed_of(task, i));
}

static void check_all(unsigned int task)
{
	for (size_t i = 0; i < pages; i++)
		mem_check(mem + i * page, page, seed_of(task, i), task ? "child" : "parent");
}

static int child(void *arg)
{
	unsigned int task = *(unsigned int *)arg;
	write_own(task);
	zdtm_child_wait();
	check_all(task);
	return 0;
}

int main(void)
{
	page = mem_page_size();
	pages = SIZE / page;
	mem = mem_map(SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	madvise(mem, SIZE, MADV_NOHUGEPAGE); /* the kernel copies shared pages to join them */
	for (size_t i = 0; i < pages; i++)
		mem_fill(mem + i * page, page, (uint32_t)i * 8);
	struct mem_view views[TASKS] = { { getpid(), mem } };
	for (unsigned int task = 1; task < TASKS; task++)
		views[task] = (struct mem_view){ zdtm_spawn(child, &task), mem };
	write_own(0);
	uint8_t *before = malloc(TASKS * pages);
	zdtm_assert(before);
	mem_sharing(views, TASKS, pages, before);

	zdtm_ready();

	mem_check_sharing(views, TASKS, pages, before);
	check_all(0);
	for (unsigned int task = 1; task < TASKS; task++)
		zdtm_join(views[task].pid);
	check_all(0);
	zdtm_pass();
}
