/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Transparent huge pages keep their bytes: whole ones, one that was split by a change of its
 * protection, one with a hole, and those that a child has changed in part.
 */
#include "mem.h"
#include "zdtm.h"

enum { HUGE = 2 << 20, COUNT = 5, SPLIT = 1, HOLE = 2, CHILD = 3 };

static unsigned char *mem;
static size_t page;

static int child(void *arg)
{
	(void)arg;
	mem_fill(mem + CHILD * HUGE + 7 * page, page, 100);
	zdtm_child_wait();
	mem_check(mem + CHILD * HUGE + 7 * page, page, 100, "page that the child changed");
	mem_check(mem, HUGE, 0, "huge page of the child");
	return 0;
}

int main(void)
{
	page = mem_page_size();
	unsigned char *room = mem_map((COUNT + 1) * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	mem = (unsigned char *)(((uintptr_t)room + HUGE - 1) & ~(uintptr_t)(HUGE - 1));
	if (madvise(mem, COUNT * HUGE, MADV_HUGEPAGE))
		zdtm_skip("the kernel has no transparent huge pages: %m");
	for (uint32_t i = 0; i < COUNT; i++)
		mem_fill(mem + i * HUGE, HUGE, i);
	zdtm_assert(!mprotect(mem + SPLIT * HUGE + 3 * page, page, PROT_READ));
	zdtm_assert(!madvise(mem + HOLE * HUGE + 4 * page, 2 * page, MADV_DONTNEED));
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	zdtm_assert(mem_vma_has_flag(mem, "hg"));
	for (uint32_t i = 0; i < COUNT; i++)
		if (i != HOLE)
			mem_check(mem + i * HUGE, HUGE, i, "huge page");
	mem_get_vma(mem + SPLIT * HUGE + 3 * page, "r--p");
	mem_check(mem + HOLE * HUGE, 4 * page, HOLE, "huge page before its hole");
	mem_check_zero(mem + HOLE * HUGE + 4 * page, 2 * page, "hole of a huge page");
	zdtm_join(pid);
	zdtm_pass();
}
