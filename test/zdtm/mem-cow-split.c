/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parent and child have cut and moved a mapping that they share copy-on-write, each in its own way:
 * other permissions, another address, other lengths. Bytes are kept, and sharing at the old address;
 * an image has no words for pages that are shared at different addresses.
 */
#include <stdlib.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

enum { PAGES = 512, QUARTER = PAGES / 4, CHILD_OWN = 3, PARENT_OWN = 5 };

static unsigned char *mem;
static unsigned char **moved; /* where the child has the last quarter, shared with it */
static size_t page;

static void check(unsigned char *at, size_t first, size_t end, size_t own, uint32_t own_seed)
{
	for (size_t i = first; i < end; i++)
		mem_check(at + (i - first) * page, page, i % 8 == own ? own_seed : (uint32_t)i,
			  own == CHILD_OWN ? "child" : "parent");
}

static void write_own(size_t own, uint32_t seed)
{
	for (size_t i = own; i < PAGES; i += 8)
		mem_fill(mem + i * page, page, seed);
}

static int child(void *arg)
{
	(void)arg;
	write_own(CHILD_OWN, 10000);
	unsigned char *second = mem + QUARTER * page, *last = mem + 3 * QUARTER * page;
	zdtm_assert(!mprotect(second, QUARTER * page, PROT_READ));
	*moved = mremap(last, QUARTER * page, PAGES * page, MREMAP_MAYMOVE);
	zdtm_assert(*moved != MAP_FAILED && *moved != last);
	zdtm_child_wait();
	mem_get_vma(mem, "rw-p");
	mem_get_vma(second, "r--p");
	zdtm_assert(!mem_readable(last));
	check(mem, 0, 3 * QUARTER, CHILD_OWN, 10000);
	check(*moved, 3 * QUARTER, PAGES, CHILD_OWN, 10000);
	mem_check_zero(*moved + QUARTER * page, 3 * QUARTER * page, "end of the moved mapping");
	return 0;
}

int main(void)
{
	page = mem_page_size();
	moved = mem_map(page, PROT_READ | PROT_WRITE, MAP_SHARED);
	/* With something behind it, or the child's last quarter could grow where it is. */
	mem = mem_map((PAGES + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	zdtm_assert(!mprotect(mem + PAGES * page, page, PROT_NONE));
	madvise(mem, PAGES * page,
		MADV_NOHUGEPAGE); /* the kernel copies shared pages to join them */
	for (size_t i = 0; i < PAGES; i++)
		mem_fill(mem + i * page, page, (uint32_t)i);
	pid_t pid = zdtm_spawn(child, NULL);
	write_own(PARENT_OWN, 20000);
	unsigned char *third = mem + 2 * QUARTER * page;
	zdtm_assert(!mprotect(third + page, page, PROT_NONE));
	zdtm_assert(!mprotect(mem + page, QUARTER * page, PROT_READ));

	struct mem_view at_home[] = { { getpid(), mem }, { pid, mem } };
	uint8_t before_home[2 * 3 * QUARTER];
	mem_sharing(at_home, 2, 3 * QUARTER, before_home);

	zdtm_ready();

	mem_check_sharing(at_home, 2, 3 * QUARTER, before_home);
	mem_get_vma(third + page, "---p");
	mem_get_vma(mem + page, "r--p");
	zdtm_assert(!mprotect(mem, PAGES * page, PROT_READ));
	check(mem, 0, PAGES, PARENT_OWN, 20000);
	zdtm_join(pid);
	zdtm_pass();
}
