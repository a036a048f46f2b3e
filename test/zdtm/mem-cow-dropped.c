/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a child gave up after the fork does not come back from its parent: pages dropped with
 * MADV_DONTNEED are zero, unmapped ones are not there, and where it has mapped something else at
 * the same address that is what it has.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 64, DROPPED = 8, UNMAPPED = 16, FRESH = 24, OF_FILE = 32, SHARED = 40, RUN = 4 };

static unsigned char *mem;
static size_t page;

static void replace(size_t index, int flags, int fd)
{
	void *at = mem + index * page;
	zdtm_assert(mmap(at, RUN * page, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0) == at);
}

static int child(void *arg)
{
	(void)arg;
	zdtm_assert(!madvise(mem + DROPPED * page, RUN * page, MADV_DONTNEED));
	zdtm_assert(!munmap(mem + UNMAPPED * page, RUN * page));
	replace(FRESH, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	mem_fill(mem + FRESH * page, page, 2);
	int fd = fd_open("file", O_RDONLY);
	replace(OF_FILE, MAP_PRIVATE, fd);
	close(fd);
	replace(SHARED, MAP_SHARED | MAP_ANONYMOUS, -1);
	mem_fill(mem + (SHARED + 1) * page, page, 4);
	zdtm_child_wait();

	size_t run = RUN * page;
	mem_check_zero(mem + DROPPED * page, run, "dropped pages");
	for (size_t i = UNMAPPED; i < UNMAPPED + RUN; i++)
		zdtm_assert(!mem_readable(mem + i * page));
	mem_check(mem + FRESH * page, page, 2, "first page of the fresh mapping");
	mem_check_zero(mem + (FRESH + 1) * page, run - page, "rest of the fresh mapping");
	mem_check(mem + OF_FILE * page, run, 3, "file mapping");
	mem_check_zero(mem + SHARED * page, page, "first page of the shared mapping");
	mem_check(mem + (SHARED + 1) * page, page, 4, "second page of the shared mapping");
	mem_check_zero(mem + (SHARED + 2) * page, run - 2 * page, "rest of the shared mapping");
	mem_check(mem, DROPPED * page, 1, "pages that the child kept");
	return 0;
}

int main(void)
{
	page = mem_page_size();
	fd_make_file("file", RUN * page, 3);
	mem = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	mem_fill(mem, PAGES * page, 1);
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	mem_check(mem, PAGES * page, 1, "memory of the parent");
	zdtm_join(pid);
	zdtm_pass();
}
