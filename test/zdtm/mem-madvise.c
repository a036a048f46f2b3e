/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What madvise() said about a mapping still holds, alone and together, and a later fork obeys it.
 */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

enum { PAGES = 8, MOST = 3 };

static struct {
	int advice[MOST]; /* ends with 0, MADV_NORMAL */
	int flags;
	unsigned char *mem;
	char vma_flags[256];
} areas[] = {
	{ { MADV_DONTFORK }, MAP_PRIVATE, NULL, "" },
	{ { MADV_WIPEONFORK }, MAP_PRIVATE, NULL, "" },
	{ { MADV_DONTDUMP }, MAP_PRIVATE, NULL, "" },
	{ { MADV_MERGEABLE }, MAP_PRIVATE, NULL, "" },
	{ { MADV_HUGEPAGE }, MAP_PRIVATE, NULL, "" },
	{ { MADV_NOHUGEPAGE }, MAP_PRIVATE, NULL, "" },
	{ { MADV_SEQUENTIAL }, MAP_PRIVATE, NULL, "" },
	{ { MADV_RANDOM }, MAP_PRIVATE, NULL, "" },
	{ { MADV_DONTFORK, MADV_DONTDUMP }, MAP_PRIVATE, NULL, "" },
	{ { MADV_WIPEONFORK, MADV_DONTDUMP, MADV_RANDOM }, MAP_PRIVATE, NULL, "" },
	{ { MADV_NOHUGEPAGE, MADV_MERGEABLE }, MAP_PRIVATE | MAP_NORESERVE, NULL, "" },
	{ { MADV_NORMAL }, MAP_PRIVATE, NULL, "" },
	{ { MADV_DONTFORK, MADV_DONTDUMP }, MAP_SHARED, NULL, "" },
	{ { MADV_SEQUENTIAL }, MAP_SHARED, NULL, "" },
};
enum { N = sizeof(areas) / sizeof(*areas), DONTFORK = 0, WIPEONFORK = 1, DONTDUMP = 2 };

static int look_in_child(void)
{
	size_t size = PAGES * mem_page_size();
	zdtm_assert(!mem_readable(areas[DONTFORK].mem));
	mem_check_zero(areas[WIPEONFORK].mem, size, "wiped memory in a child");
	mem_check(areas[DONTDUMP].mem, size, DONTDUMP, "memory in a child");
	return 0;
}

int main(void)
{
	size_t size = PAGES * mem_page_size();
	for (uint32_t i = 0; i < N; i++) {
		areas[i].mem = mem_map(size, PROT_READ | PROT_WRITE, areas[i].flags);
		mem_fill(areas[i].mem, size, i);
		/* A kernel built without KSM or huge pages knows not all of them. */
		for (size_t k = 0; k < MOST && areas[i].advice[k]; k++)
			madvise(areas[i].mem, size, areas[i].advice[k]);
	}
	for (size_t i = 0; i < N; i++)
		mem_vma_flags(areas[i].mem, areas[i].vma_flags, sizeof(areas[i].vma_flags));

	zdtm_ready();

	for (uint32_t i = 0; i < N; i++) {
		char now[256];
		mem_vma_flags(areas[i].mem, now, sizeof(now));
		if (strcmp(now, areas[i].vma_flags))
			zdtm_fail("mapping %u has the flags%s, not%s", i, now, areas[i].vma_flags);
		mem_check(areas[i].mem, size, i, "memory");
	}
	pid_t pid = fork();
	zdtm_assert(pid >= 0);
	if (!pid)
		_exit(look_in_child());
	int status;
	zdtm_assert(waitpid(pid, &status, 0) == pid && !status);
	zdtm_pass();
}
