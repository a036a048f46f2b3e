/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings that are longer than their file: bytes behind the end in the last page are kept, pages
 * behind it fault as before, and become readable when the file grows.
 */
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 8 };

int main(void)
{
	size_t page = mem_page_size(), size = page + page / 2;
	fd_make_file("file", size, 1);
	int fd = fd_open("file", O_RDWR);
	unsigned char *shared =
		mem_map_file(fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	unsigned char *changed =
		mem_map_file(fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *behind = mem_map_file(fd, (off_t)(4 * page), page, PROT_READ, MAP_PRIVATE);
	mem_fill(changed + page, page, 2);
	zdtm_assert(!mem_readable(shared + 2 * page));
	zdtm_assert(!mem_readable(changed + 2 * page));

	zdtm_ready();

	mem_check(shared, size, 1, "shared mapping");
	mem_check(changed, page, 1, "unchanged page");
	mem_check(changed + page, page, 2, "changed last page");
	for (size_t i = 2; i < PAGES; i++) {
		zdtm_assert(!mem_readable(shared + i * page));
		zdtm_assert(!mem_readable(changed + i * page));
	}
	zdtm_assert(!mem_readable(behind));
	zdtm_assert(!ftruncate(fd, (off_t)(PAGES * page)));
	mem_check_zero(shared + 2 * page, (PAGES - 2) * page, "shared pages of the longer file");
	mem_check_zero(changed + 2 * page, (PAGES - 2) * page, "private pages of the longer file");
	mem_check_zero(behind, page, "mapping that began behind the end");
	zdtm_pass();
}
