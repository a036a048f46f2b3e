/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private anonymous memory of all sizes and permissions keeps every byte, and pages that were only
 * read are still zero.
 */
#include <string.h>

#include "mem.h"
#include "zdtm.h"

struct area {
	size_t pages;
	int prot;
	const char *perms;
	unsigned char *mem;
};

int main(void)
{
	static struct area areas[] = {
		{ .pages = 1, .prot = PROT_READ | PROT_WRITE, .perms = "rw-p" },
		{ .pages = 513, .prot = PROT_READ | PROT_WRITE, .perms = "rw-p" },
		{ .pages = 3, .prot = PROT_READ, .perms = "r--p" },
		{ .pages = 1025, .prot = PROT_READ, .perms = "r--p" },
		{ .pages = 7, .prot = PROT_NONE, .perms = "---p" },
		{ .pages = 600, .prot = PROT_NONE, .perms = "---p" },
		{ .pages = 2, .prot = PROT_READ | PROT_EXEC, .perms = "r-xp" },
		{ .pages = 2, .prot = PROT_READ | PROT_WRITE | PROT_EXEC, .perms = "rwxp" },
	};
	enum { N = sizeof(areas) / sizeof(*areas), ZERO_PAGES = 40 };
	size_t page = mem_page_size();
	for (uint32_t i = 0; i < N; i++) {
		areas[i].mem = mem_map(areas[i].pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
		mem_fill(areas[i].mem, areas[i].pages * page, i);
		zdtm_assert(!mprotect(areas[i].mem, areas[i].pages * page, areas[i].prot));
	}
	unsigned char *zero = mem_map(ZERO_PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	mem_check_zero(zero, ZERO_PAGES * page, "fresh memory");
	memset(zero + 3 * page, 0, page); /* a page of its own, with nothing in it */

	zdtm_ready();

	for (uint32_t i = 0; i < N; i++) {
		mem_get_vma(areas[i].mem, areas[i].perms);
		zdtm_assert_eq(mem_readable(areas[i].mem), areas[i].prot != PROT_NONE);
		zdtm_assert(!mprotect(areas[i].mem, areas[i].pages * page, PROT_READ | PROT_WRITE));
		mem_check(areas[i].mem, areas[i].pages * page, i, areas[i].perms);
		mem_fill(areas[i].mem, areas[i].pages * page, i + N);
		mem_check(areas[i].mem, areas[i].pages * page, i + N, "written again");
	}
	mem_check_zero(zero, ZERO_PAGES * page, "pages that were only read");
	zdtm_pass();
}
