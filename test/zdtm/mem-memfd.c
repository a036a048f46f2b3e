/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of memfds: shared and private ones of the same file, one whose descriptor is closed, one
 * that a child shares, and a writable one that is older than the seal against writing.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 16 };

/* Since Linux 5.1; older headers lack it. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static unsigned char *shared;
static size_t page;

static int new_memfd(const char *name, unsigned int flags)
{
	int fd = memfd_create(name, flags);
	zdtm_assert(fd >= 0);
	zdtm_assert(!ftruncate(fd, (off_t)(PAGES * page)));
	return fd;
}

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
	int fd = new_memfd("both", 0);
	shared = mem_map_file(fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	mem_fill(shared, 8 * page, 1);
	unsigned char *private =
		mem_map_file(fd, (off_t)(2 * page), 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	mem_fill(private + page, page, 2);
	int closed_fd = new_memfd("closed", MFD_CLOEXEC);
	unsigned char *closed =
		mem_map_file(closed_fd, 0, PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	mem_fill(closed + 3 * page, page, 3);
	close(closed_fd);
	int sealed_fd = new_memfd("sealed", MFD_ALLOW_SEALING);
	unsigned char *sealed =
		mem_map_file(sealed_fd, 0, page, PROT_READ | PROT_WRITE, MAP_SHARED);
	mem_fill(sealed, page, 4);
	bool has_seal = !fcntl(sealed_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK);
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	mem_check(shared, 8 * page, 1, "shared mapping");
	fd_check_content(fd, 0, 8 * page, 1);
	mem_check(private + page, page, 2, "changed page of the private mapping");
	mem_fill(shared, page, 10);
	fd_check_content(fd, 0, page, 10);
	mem_fill(shared + 2 * page, page, 12);
	mem_check(private, page, 12, "unchanged page of the private mapping");
	zdtm_join(pid);
	fd_check_content(fd, (off_t)page, page, 11);

	zdtm_assert(strstr(mem_get_vma(closed, "rw-s").name, "memfd:closed"));
	mem_check_zero(closed, 3 * page, "hole of the closed memfd");
	mem_check(closed + 3 * page, page, 3, "closed memfd");

	mem_check(sealed, page, 4, "sealed memfd");
	mem_fill(sealed, page, 5);
	fd_check_content(sealed_fd, 0, page, 5);
	zdtm_assert_eq(fcntl(sealed_fd, F_GET_SEALS),
		       has_seal ? F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK : 0);
	zdtm_assert_eq(pwrite(sealed_fd, "x", 1, 0), has_seal ? -1 : 1);
	zdtm_pass();
}
