/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that were never touched, or given back with MADV_DONTNEED, do not come into being, and
 * their neighbours keep their bytes.
 */
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 20000, STEP = 17, RUN = 3 };

/* Runs of pages at growing distances, so that holes and runs of many lengths follow each other. */
static bool is_touched(size_t index)
{
	return index % STEP < RUN || (index > PAGES / 2 && index % 1000 < 40);
}

int main(void)
{
	size_t page = mem_page_size();
	unsigned char *mem =
		mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
	madvise(mem, PAGES * page, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < PAGES; i++)
		if (is_touched(i))
			mem_fill(mem + i * page, page, (uint32_t)i);
	enum { DROPPED = STEP * 100 };
	zdtm_assert(!madvise(mem + DROPPED * page, RUN * page, MADV_DONTNEED));
	size_t count = mem_count_pages(mem, PAGES);
	zdtm_assert(count < PAGES / 3);

	zdtm_ready();

	zdtm_assert_eq(mem_count_pages(mem, PAGES), count);
	for (size_t i = 0; i < PAGES; i++) {
		bool dropped = i >= DROPPED && i < DROPPED + RUN;
		if (is_touched(i) && !dropped)
			mem_check(mem + i * page, page, (uint32_t)i, "touched page");
		else if (mem_page_exists(mem + i * page))
			zdtm_fail("page %zu came into being", i);
	}
	mem_check_zero(mem + DROPPED * page, RUN * page, "pages given back");
	zdtm_pass();
}
