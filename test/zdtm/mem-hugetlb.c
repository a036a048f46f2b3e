/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the huge page pool: private, shared with a child, and of a memfd.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

static unsigned char *private, *shared;
static size_t size;

static int child(void *arg)
{
	(void)arg;
	zdtm_child_wait();
	mem_check(private, size, 1, "private huge page of the child");
	mem_check(shared, size / 2, 10, "what the parent wrote");
	mem_fill(shared + size / 2, size / 2, 11);
	return 0;
}

static unsigned char *map_huge(int flags, int fd)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (mem == MAP_FAILED)
		zdtm_skip("no free huge pages, see /proc/sys/vm/nr_hugepages: %m");
	return mem;
}

int main(void)
{
	char text[8192], *line;
	unsigned long kb;
	zdtm_read_file("/proc/meminfo", text, sizeof(text));
	line = strstr(text, "Hugepagesize:");
	if (!line || sscanf(line, "Hugepagesize: %lu", &kb) != 1)
		zdtm_skip("the kernel has no huge pages");
	size = kb * 1024;
	private = map_huge(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	shared = map_huge(MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1);
	int fd = memfd_create("huge", MFD_HUGETLB);
	if (fd < 0 || ftruncate(fd, (off_t)size))
		zdtm_skip("no huge memfd: %m");
	unsigned char *memfd = map_huge(MAP_SHARED, fd);
	mem_fill(private, size, 1);
	mem_fill(shared, size, 2);
	mem_fill(memfd, size, 3);
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	zdtm_assert(mem_vma_has_flag(private, "ht"));
	zdtm_assert(mem_vma_has_flag(shared, "ht"));
	zdtm_assert(mem_vma_has_flag(memfd, "ht"));
	mem_check(private, size, 1, "private huge page");
	mem_check(shared, size, 2, "shared huge page");
	mem_check(memfd, size, 3, "memfd of huge pages");
	mem_fill(memfd, size, 4);
	fd_check_content(fd, 0, size, 4);
	mem_fill(shared, size / 2, 10);
	zdtm_join(pid);
	mem_check(shared + size / 2, size / 2, 11, "what the child wrote");
	zdtm_pass();
}
