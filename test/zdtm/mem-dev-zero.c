/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of /dev/zero: private ones are anonymous memory, shared ones belong to parent and child.
 */
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 8 };

static unsigned char *private, *shared;
static size_t page;

static int child(void *arg)
{
	(void)arg;
	mem_fill(private, page, 5);
	zdtm_child_wait();
	mem_check(private, page, 5, "private mapping of the child");
	mem_check(shared, page, 6, "what the parent wrote");
	mem_fill(shared + page, page, 7);
	return 0;
}

int main(void)
{
	page = mem_page_size();
	int fd = fd_open("/dev/zero", O_RDWR | O_CLOEXEC);
	private = mem_map_file(fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	shared = mem_map_file(fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	close(fd);
	mem_fill(private, 2 * page, 1);
	mem_fill(shared, 2 * page, 2);
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	mem_get_vma(private, "rw-p");
	mem_get_vma(shared, "rw-s");
	mem_check(private, 2 * page, 1, "private mapping");
	mem_check_zero(private + 2 * page, (PAGES - 2) * page, "end of the private mapping");
	mem_check(shared, 2 * page, 2, "shared mapping");
	mem_fill(shared, page, 6);
	zdtm_join(pid);
	mem_check(shared + page, page, 7, "what the child wrote");
	mem_check(private, 2 * page, 1, "private mapping of the parent");
	zdtm_pass();
}
