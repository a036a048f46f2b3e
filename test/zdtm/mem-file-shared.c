/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is written to a shared file mapping is seen in the file, in a second mapping and in a child,
 * before and after; a mapping made through a read-only descriptor can still not become writable.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 16 };

static unsigned char *mem;

static int child(void *arg)
{
	size_t page = mem_page_size();
	(void)arg;
	zdtm_child_wait();
	mem_check(mem, page, 3, "what the parent wrote");
	mem_fill(mem + page, page, 4);
	return 0;
}

int main(void)
{
	size_t page = mem_page_size();
	fd_make_file("file", PAGES * page, 1);
	int fd = fd_open("file", O_RDWR | O_CLOEXEC);
	mem = mem_map_file(fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	unsigned char *second = mem_map_file(fd, (off_t)page, page, PROT_READ, MAP_SHARED);
	close(fd);
	fd = fd_open("file", O_RDONLY | O_CLOEXEC);
	unsigned char *readonly = mem_map_file(fd, 0, page, PROT_READ, MAP_SHARED);
	close(fd);
	mem_fill(mem + 5 * page, page, 2);
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	mem_get_vma(mem, "rw-s");
	mem_get_vma(second, "r--s");
	fd = fd_open("file", O_RDONLY);
	fd_check_content(fd, (off_t)(5 * page), page, 2);
	mem_check(mem + 5 * page, page, 2, "page written before");
	mem_fill(mem, page, 3);
	fd_check_content(fd, 0, page, 3);
	mem_check(readonly, page, 3, "read-only mapping");
	zdtm_join(pid);
	mem_check(second, page, 4, "what the child wrote, in the second mapping");
	fd_check_content(fd, (off_t)page, page, 4);
	zdtm_assert(mprotect(readonly, page, PROT_READ | PROT_WRITE) < 0 && errno == EACCES);
	zdtm_assert(!mprotect(second, page, PROT_READ | PROT_WRITE));
	zdtm_pass();
}
