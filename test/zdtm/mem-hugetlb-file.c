/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file of a hugetlbfs, mapped shared and private: what was written to the file, and what only to
 * memory.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

static size_t huge_page_size(void)
{
	char text[8192];
	unsigned long kb;
	zdtm_read_file("/proc/meminfo", text, sizeof(text));
	const char *line = strstr(text, "Hugepagesize:");
	if (!line || sscanf(line, "Hugepagesize: %lu", &kb) != 1)
		zdtm_skip("the kernel has no huge pages");
	return kb * 1024;
}

static unsigned char *map_file(int flags, size_t size, int fd)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (mem == MAP_FAILED)
		zdtm_skip("no free huge pages, see /proc/sys/vm/nr_hugepages: %m");
	return mem;
}

int main(void)
{
	size_t size = huge_page_size();
	zdtm_assert(!mkdir("huge", 0700));
	if (mount("none", "huge", "hugetlbfs", 0, NULL))
		zdtm_skip("cannot mount a hugetlbfs: %m");
	int fd = fd_open("huge/file", O_RDWR | O_CREAT);
	zdtm_assert(!ftruncate(fd, (off_t)size));
	unsigned char *shared = map_file(MAP_SHARED, size, fd);
	unsigned char *private = map_file(MAP_PRIVATE, size, fd);
	mem_fill(shared, size, 1);
	mem_fill(private, size, 2);

	zdtm_ready();

	zdtm_assert(mem_vma_has_flag(shared, "ht") && mem_vma_has_flag(private, "ht"));
	mem_check(shared, size, 1, "the shared file");
	mem_check(private, size, 2, "the private copy");
	fd_check_content(fd, 0, size, 1);
	zdtm_assert(!munmap(shared, size) && !munmap(private, size) && !close(fd));
	zdtm_assert(!umount("huge"));
	zdtm_pass();
}
