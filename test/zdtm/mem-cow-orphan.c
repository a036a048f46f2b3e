/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A grandchild shares pages with its grandparent and its sibling, though the task that forked both
 * is gone and they belong to a subreaper now: no fork relation of the tree tells that they share.
 */
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

enum { PAGES = 1024, TASKS = 3, GRANDPARENT = 100, MIDDLE = 101, FIRST = 102 };

static unsigned char *mem;
static pid_t *pids; /* of the two grandchildren, shared with them */
static size_t page;

/* Each task writes every fourth page, from its own start. */
static void write_quarter(size_t start, uint32_t seed)
{
	for (size_t i = start; i < PAGES; i += 4)
		mem_fill(mem + i * page, page, seed);
}

static void check_quarter(size_t start, uint32_t seed, const char *what)
{
	for (size_t i = start; i < PAGES; i += 4)
		mem_check(mem + i * page, page, seed, what);
}

static int grandchild(void *arg)
{
	uint32_t which = *(uint32_t *)arg;
	write_quarter(2 + which, FIRST + which);
	zdtm_child_wait();
	check_quarter(0, GRANDPARENT, "grandparent's page in a grandchild");
	check_quarter(1, MIDDLE, "page of the dead task in a grandchild");
	check_quarter(2 + which, FIRST + which, "own page of a grandchild");
	check_quarter(3 - which, GRANDPARENT, "unchanged page of a grandchild");
	return 0;
}

static int middle(void *arg)
{
	(void)arg;
	write_quarter(1, MIDDLE);
	for (uint32_t which = 0; which < 2; which++)
		pids[which] = zdtm_spawn(grandchild, &which);
	return 0;
}

int main(void)
{
	page = mem_page_size();
	pids = mem_map(page, PROT_READ | PROT_WRITE, MAP_SHARED);
	mem = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	madvise(mem, PAGES * page,
		MADV_NOHUGEPAGE); /* the kernel copies shared pages to join them */
	for (size_t start = 0; start < 4; start++)
		write_quarter(start, GRANDPARENT);
	zdtm_assert(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t pid = zdtm_spawn(middle, NULL);
	zdtm_assert(waitpid(pid, NULL, 0) == pid);
	struct mem_view views[TASKS] = { { getpid(), mem }, { pids[0], mem }, { pids[1], mem } };
	uint8_t before[TASKS * PAGES];
	mem_sharing(views, TASKS, PAGES, before);

	zdtm_ready();

	mem_check_sharing(views, TASKS, PAGES, before);
	for (size_t start = 0; start < 4; start++)
		check_quarter(start, GRANDPARENT, "page of the grandparent");
	zdtm_join(pids[0]);
	zdtm_join(pids[1]);
	zdtm_pass();
}
