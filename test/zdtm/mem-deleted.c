/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of deleted files: shared by two tasks and still shared, private with changed and
 * unchanged pages, with and without a descriptor of the same file.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 16 };

static unsigned char *shared;
static size_t page;

static int child(void *arg)
{
	(void)arg;
	zdtm_child_wait();
	mem_check(shared, page, 10, "what the parent wrote");
	mem_fill(shared + page, page, 11);
	return 0;
}

int main(void)
{
	page = mem_page_size();
	fd_make_file("shared", PAGES * page, 1);
	fd_make_file("private", PAGES * page, 2);
	int shared_fd = fd_open("shared", O_RDWR), private_fd = fd_open("private", O_RDONLY);
	shared = mem_map_file(shared_fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	unsigned char *private =
		mem_map_file(private_fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	close(private_fd);
	zdtm_assert(!unlink("shared") && !unlink("private"));
	mem_fill(shared + 4 * page, page, 3);
	mem_fill(private + 4 * page, page, 4);
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	zdtm_assert(strstr(mem_get_vma(shared, "rw-s").name, " (deleted)"));
	zdtm_assert(strstr(mem_get_vma(private, "rw-p").name, " (deleted)"));
	mem_check(shared, 4 * page, 1, "shared mapping");
	mem_check(shared + 4 * page, page, 3, "written page of the shared mapping");
	mem_check(private, 4 * page, 2, "private mapping");
	mem_check(private + 4 * page, page, 4, "changed page of the private mapping");
	mem_fill(shared, page, 10);
	fd_check_content(shared_fd, 0, page, 10);
	zdtm_join(pid);
	mem_check(shared + page, page, 11, "what the child wrote");
	fd_check_content(shared_fd, (off_t)page, page, 11);
	zdtm_assert(access("shared", F_OK) && access("private", F_OK));
	zdtm_pass();
}
