/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A private file mapping keeps its changed pages, even when the file changed below them, and is
 * still a mapping of the file: unchanged pages show what is written to it later.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 32, CHANGED = 5, UNDER = 9, WRITTEN_LATER = 20, FIRST = 4 };

int main(void)
{
	size_t page = mem_page_size();
	fd_make_file("file", (FIRST + PAGES) * page, 1);
	int fd = fd_open("file", O_RDWR | O_CLOEXEC);
	unsigned char *mem = mem_map_file(fd, (off_t)(FIRST * page), PAGES * page,
					  PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *rest = mem_map_file(fd, 0, page, PROT_READ, MAP_PRIVATE);
	mem_fill(mem + CHANGED * page, page, 2);
	mem_fill(mem + UNDER * page, page, 3);
	static const char text[] = "changed in the file";
	zdtm_assert(pwrite(fd, text, sizeof(text), (off_t)((FIRST + UNDER) * page)) > 0);
	close(fd);
	struct mem_vma before = mem_get_vma(mem, "rw-p");

	zdtm_ready();

	struct mem_vma after = mem_get_vma(mem, "rw-p");
	zdtm_assert_eq(after.start, before.start);
	zdtm_assert_eq(after.end, before.end);
	zdtm_assert_eq(after.offset, before.offset);
	zdtm_assert_eq(after.inode, before.inode);
	zdtm_assert(!strcmp(after.name, before.name));
	zdtm_assert_eq(mem_get_vma(rest, "r--p").inode, before.inode);

	unsigned char *file = mem_map(2 * PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	mem_fill(file, (FIRST + PAGES) * page, 1);
	for (size_t i = 0; i < PAGES; i++) {
		unsigned char *at = mem + i * page;
		if (i == CHANGED || i == UNDER)
			mem_check(at, page, i == CHANGED ? 2 : 3, "changed page");
		else if (memcmp(at, file + (FIRST + i) * page, page))
			zdtm_fail("unchanged page %zu is not as in the file", i);
	}
	fd = fd_open("file", O_WRONLY);
	zdtm_assert(pwrite(fd, text, sizeof(text), (off_t)((FIRST + WRITTEN_LATER) * page)) > 0);
	zdtm_assert(pwrite(fd, text, sizeof(text), (off_t)((FIRST + CHANGED) * page)) > 0);
	zdtm_assert(!memcmp(mem + WRITTEN_LATER * page, text, sizeof(text)));
	mem_check(mem + CHANGED * page, page, 2, "changed page after a write to the file");
	zdtm_pass();
}
