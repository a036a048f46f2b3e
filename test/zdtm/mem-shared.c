/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared anonymous memory stays shared by a parent and its two children, also where one of them has
 * unmapped, moved or protected a part of it, and where it is mapped twice.
 */
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 64, HALF = PAGES / 2 };

static unsigned char *mem, *twice;
static size_t page;

/* Has only the second half, at another address. */
static int child_half(void *arg)
{
	(void)arg;
	unsigned char *moved =
		mremap(mem + HALF * page, HALF * page, 2 * PAGES * page, MREMAP_MAYMOVE);
	zdtm_assert(moved != MAP_FAILED);
	zdtm_assert(!munmap(mem, HALF * page));
	zdtm_child_wait();
	zdtm_assert(!mem_readable(mem));
	mem_check(moved, page, 11, "second half, by the parent");
	mem_fill(moved + page, page, 21);
	return 0;
}

static int child_readonly(void *arg)
{
	(void)arg;
	zdtm_assert(!mprotect(mem + page, 4 * page, PROT_READ));
	zdtm_child_wait();
	mem_get_vma(mem, "rw-s");
	mem_get_vma(mem + page, "r--s");
	mem_check(mem + page, page, 10, "first half, by the parent");
	mem_check(mem + (HALF + 1) * page, page, 21, "second half, by the other child");
	mem_fill(mem + 6 * page, page, 22);
	return 0;
}

int main(void)
{
	page = mem_page_size();
	mem = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	mem_fill(mem, (PAGES - 8) * page, 1);
	twice = mremap(mem, 0, HALF * page, MREMAP_MAYMOVE);
	zdtm_assert(twice != MAP_FAILED && twice != mem);
	pid_t half = zdtm_spawn(child_half, NULL), readonly = zdtm_spawn(child_readonly, NULL);

	zdtm_ready();

	mem_get_vma(mem, "rw-s");
	mem_check(mem, (PAGES - 8) * page, 1, "shared memory");
	mem_check_zero(mem + (PAGES - 8) * page, 8 * page, "end of the shared memory");
	mem_fill(mem + page, page, 10);
	mem_check(twice + page, page, 10, "second mapping");
	mem_fill(mem + HALF * page, page, 11);
	zdtm_join(half);
	mem_check(mem + (HALF + 1) * page, page, 21, "by the first child");
	zdtm_join(readonly);
	mem_check(twice + 6 * page, page, 22, "by the second child");
	zdtm_pass();
}
