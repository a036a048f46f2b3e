/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changed pages of a private file mapping that parent and child share copy-on-write, next to pages
 * that only one has changed, or that the child has given back to the file.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 256, BOTH = 1, PARENT = 2, CHILD = 3, DROPPED = 4, KINDS = 6 };

static unsigned char *mem, *original;
static size_t page;

static void write_kind(size_t kind, uint32_t seed)
{
	for (size_t i = kind; i < PAGES; i += KINDS)
		mem_fill(mem + i * page, page, seed);
}

/* The pages of @kind have the pattern of @seed; with seed 0 they are as in the file. */
static void check_kind(size_t kind, uint32_t seed, const char *what)
{
	for (size_t i = kind; i < PAGES; i += KINDS) {
		if (seed)
			mem_check(mem + i * page, page, seed, what);
		else if (memcmp(mem + i * page, original + i * page, page))
			zdtm_fail("%s: page %zu is not as in the file", what, i);
	}
}

static int child(void *arg)
{
	(void)arg;
	write_kind(CHILD, 30);
	for (size_t i = DROPPED; i < PAGES; i += KINDS)
		zdtm_assert(!madvise(mem + i * page, page, MADV_DONTNEED));
	zdtm_child_wait();
	check_kind(0, 0, "unchanged page of the child");
	check_kind(BOTH, 10, "page changed before the fork, in the child");
	check_kind(PARENT, 0, "page that only the parent changed, in the child");
	check_kind(CHILD, 30, "page that the child changed");
	check_kind(DROPPED, 0, "page that the child gave back");
	return 0;
}

int main(void)
{
	page = mem_page_size();
	fd_make_file("file", PAGES * page, 1);
	original = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	mem_fill(original, PAGES * page, 1);
	int fd = fd_open("file", O_RDONLY);
	mem = mem_map_file(fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	close(fd);
	write_kind(BOTH, 10);
	write_kind(DROPPED, 40);
	pid_t pid = zdtm_spawn(child, NULL);
	write_kind(PARENT, 20);
	struct mem_view views[] = { { getpid(), mem + page }, { pid, mem + page } };
	uint8_t before[PAGES / KINDS][2];
	for (size_t i = 0; i < PAGES / KINDS; i++) {
		views[0].addr = views[1].addr = mem + (BOTH + i * KINDS) * page;
		mem_sharing(views, 2, 1, before[i]);
	}

	zdtm_ready();

	for (size_t i = 0; i < PAGES / KINDS; i++) {
		views[0].addr = views[1].addr = mem + (BOTH + i * KINDS) * page;
		mem_check_sharing(views, 2, 1, before[i]);
	}
	mem_get_vma(mem, "rw-p");
	check_kind(0, 0, "unchanged page");
	check_kind(BOTH, 10, "page changed before the fork");
	check_kind(PARENT, 20, "page changed after the fork");
	check_kind(CHILD, 0, "page that only the child changed");
	check_kind(DROPPED, 40, "page that the child gave back, in the parent");
	zdtm_join(pid);
	zdtm_pass();
}
