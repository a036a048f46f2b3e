/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that a fork did not copy (MADV_DONTFORK) or wiped (MADV_WIPEONFORK) is the parent's alone:
 * the restored child, too, has no mapping there, another one, or zeroes.
 */
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 16 };

static unsigned char *gone, *taken, *wiped;
static size_t page;

static int child(void *arg)
{
	(void)arg;
	void *own = mmap(taken, PAGES * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	zdtm_assert(own == taken);
	mem_fill(taken + page, page, 5);
	mem_fill(wiped + page, page, 6);
	zdtm_child_wait();
	zdtm_assert(!mem_readable(gone));
	mem_check_zero(taken, page, "the child's own mapping");
	mem_check(taken + page, page, 5, "the child's own mapping");
	mem_check_zero(taken + 2 * page, (PAGES - 2) * page, "the child's own mapping");
	zdtm_assert(!mem_vma_has_flag(taken, "dc"));
	mem_check_zero(wiped, page, "wiped memory");
	mem_check(wiped + page, page, 6, "page that the child wrote");
	mem_check_zero(wiped + 2 * page, (PAGES - 2) * page, "wiped memory");
	return 0;
}

int main(void)
{
	page = mem_page_size();
	gone = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	taken = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	wiped = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	mem_fill(gone, PAGES * page, 1);
	mem_fill(taken, PAGES * page, 2);
	mem_fill(wiped, PAGES * page, 3);
	zdtm_assert(!madvise(gone, PAGES * page, MADV_DONTFORK));
	zdtm_assert(!madvise(taken, PAGES * page, MADV_DONTFORK));
	zdtm_assert(!madvise(wiped, PAGES * page, MADV_WIPEONFORK));
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	mem_check(gone, PAGES * page, 1, "memory of the parent alone");
	mem_check(taken, PAGES * page, 2, "memory where the child has its own");
	mem_check(wiped, PAGES * page, 3, "memory that the fork wiped in the child");
	zdtm_join(pid);
	zdtm_pass();
}
