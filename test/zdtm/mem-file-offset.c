/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File mappings far behind the first 4 GiB of a sparse file.
 */
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

int main(void)
{
	size_t page = mem_page_size();
	const off_t far = (off_t)5 << 30, farther = (off_t)13 << 32;
	int fd = fd_open("file", O_RDWR | O_CREAT);
	if (ftruncate(fd, farther + (off_t)(8 * page)))
		zdtm_skip("no file of %lld bytes: %m", (long long)farther);
	unsigned char *private =
		mem_map_file(fd, far, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *shared =
		mem_map_file(fd, farther, 4 * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	mem_fill(private + page, page, 1);
	mem_fill(shared + page, page, 2);

	zdtm_ready();

	zdtm_assert_eq(mem_get_vma(private, "rw-p").offset, far);
	zdtm_assert_eq(mem_get_vma(shared, "rw-s").offset, farther);
	mem_check_zero(private, page, "hole of the file");
	mem_check(private + page, page, 1, "changed page");
	mem_check(shared + page, page, 2, "written page");
	fd_check_content(fd, farther + (off_t)page, page, 2);
	struct stat stat;
	zdtm_assert(!fstat(fd, &stat));
	zdtm_assert(stat.st_blocks < 1000);
	mem_fill(shared, page, 3);
	fd_check_content(fd, farther, page, 3);
	zdtm_pass();
}
