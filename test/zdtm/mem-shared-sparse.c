/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A gigabyte of shared anonymous memory with few touched pages does not grow, and a part of it that
 * nobody of the tree has touched through its own mapping is kept: the child that wrote it is gone.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

static const size_t size = (size_t)1 << 30;
static const size_t step = (size_t)100 << 20;

/* Of the calling process: pages that it does not touch do not count. */
static size_t shmem_kb(void)
{
	char text[64];
	zdtm_status(getpid(), "RssShmem", text, sizeof(text));
	unsigned long kb;
	zdtm_assert(sscanf(text, "%lu", &kb) == 1);
	return kb;
}

int main(void)
{
	size_t page = mem_page_size();
	unsigned char *mem = mem_map(size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE);
	for (size_t at = 0; at < size; at += step)
		mem_fill(mem + at, page, (uint32_t)(at / step));
	pid_t pid = fork();
	zdtm_assert(pid >= 0);
	if (!pid) {
		mem_fill(mem + page, 3 * page, 100);
		_exit(0);
	}
	zdtm_assert(waitpid(pid, NULL, 0) == pid);
	size_t before = shmem_kb();

	zdtm_ready();

	for (size_t at = 0; at < size; at += step)
		mem_check(mem + at, page, (uint32_t)(at / step), "touched page");
	mem_check(mem + page, 3 * page, 100, "pages that a child wrote");
	zdtm_assert(shmem_kb() <= before + 3 * page / 1024);
	mem_check_zero(mem + size - 64 * page, 64 * page, "untouched pages");
	mem_check_zero(mem + 4 * page, 64 * page, "untouched pages");
	zdtm_pass();
}
