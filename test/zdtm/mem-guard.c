/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages guarded by MADV_GUARD_INSTALL fault after the restore as before, in the parent and in a
 * child, and lose their guard again by MADV_GUARD_REMOVE; the pages around them keep their bytes.
 */
#include "mem.h"
#include "zdtm.h"

/* Since Linux 6.13; older headers lack them. */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE  103
#endif

enum { PAGES = 64, GUARD = 10, GUARDS = 3, LAST = PAGES - 1 };

static unsigned char *mem;
static size_t page;

static void check(void)
{
	mem_check(mem, GUARD * page, 1, "pages before the guard");
	for (size_t i = GUARD; i < GUARD + GUARDS; i++)
		zdtm_assert(!mem_readable(mem + i * page));
	for (size_t i = GUARD + GUARDS; i < LAST; i++)
		mem_check(mem + i * page, page, (uint32_t)i, "page behind the guard");
	zdtm_assert(!mem_readable(mem + LAST * page));
}

static int child(void *arg)
{
	(void)arg;
	mem_fill(mem + 20 * page, page, 20);
	zdtm_child_wait();
	check();
	return 0;
}

int main(void)
{
	page = mem_page_size();
	mem = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	mem_fill(mem, GUARD * page, 1);
	for (size_t i = GUARD; i < PAGES; i++)
		mem_fill(mem + i * page, page, (uint32_t)i);
	if (madvise(mem + GUARD * page, GUARDS * page, MADV_GUARD_INSTALL))
		zdtm_skip("the kernel has no guard pages: %m");
	zdtm_assert(!madvise(mem + LAST * page, page, MADV_GUARD_INSTALL));
	check();
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	check();
	zdtm_assert(!madvise(mem + GUARD * page, GUARDS * page, MADV_GUARD_REMOVE));
	mem_check_zero(mem + GUARD * page, GUARDS * page, "pages without their guard");
	zdtm_join(pid);
	zdtm_pass();
}
