/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locked memory is locked again, as much of it and in the same way: a mapping that locks its pages
 * when they are touched does not get them all at once.
 */
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

enum { PAGES = 64 };

int main(void)
{
	size_t page = mem_page_size();
	unsigned char *all = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *part = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *lazy = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *shared = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	mem_fill(part, PAGES * page, 1);
	if (mlock(all, PAGES * page))
		zdtm_skip("mlock: %m");
	zdtm_assert(!mlock(part + 8 * page, 8 * page));
	zdtm_assert(!mprotect(part + 12 * page, page, PROT_READ));
	zdtm_assert(!mlock2(lazy, PAGES * page, MLOCK_ONFAULT));
	mem_fill(lazy + 5 * page, 2 * page, 2);
	zdtm_assert(!mlock(shared, 4 * page));
	mem_fill(shared, 4 * page, 3);

	const unsigned char *const places[] = { all,  part,   part + 8 * page,  part + 12 * page,
						lazy, shared, shared + 4 * page };
	enum { N = sizeof(places) / sizeof(*places) };
	char locked[64], now[64], flags[N][256], flags_now[256];
	zdtm_status(getpid(), "VmLck", locked, sizeof(locked));
	for (size_t i = 0; i < N; i++)
		mem_vma_flags(places[i], flags[i], sizeof(flags[i]));

	zdtm_ready();

	zdtm_status(getpid(), "VmLck", now, sizeof(now));
	if (strcmp(now, locked))
		zdtm_fail("%s are locked, not %s", now, locked);
	for (size_t i = 0; i < N; i++) {
		mem_vma_flags(places[i], flags_now, sizeof(flags_now));
		if (strcmp(flags_now, flags[i]))
			zdtm_fail("mapping %zu has the flags%s, not%s", i, flags_now, flags[i]);
	}
	zdtm_assert_eq(mem_count_pages(all, PAGES), PAGES);
	zdtm_assert_eq(mem_count_pages(lazy, PAGES), 2);
	mem_check_zero(all, PAGES * page, "locked memory");
	mem_check(part, PAGES * page, 1, "memory that is locked in part");
	mem_check(lazy + 5 * page, 2 * page, 2, "memory locked when touched");
	mem_check(shared, 4 * page, 3, "locked shared memory");
	zdtm_assert(!munlock(all, PAGES * page) && !munlock(part, PAGES * page));
	zdtm_assert(!munlock(lazy, PAGES * page) && !munlock(shared, PAGES * page));
	zdtm_status(getpid(), "VmLck", now, sizeof(now));
	if (strcmp(now, "0 kB"))
		zdtm_fail("%s are locked at the end", now);
	zdtm_pass();
}
