/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stack keeps what lies on it and still grows: nothing stands in its way after a restore.
 */
#include <string.h>
#include <sys/resource.h>

#include "mem.h"
#include "zdtm.h"

enum { FRAME = 4096 };

static uintptr_t lowest = UINTPTR_MAX;

/* Goes @depth frames down, each with its own pattern, and checks them on the way back. */
static __attribute__((noinline)) void descend(size_t depth, void (*at_bottom)(void))
{
	unsigned char frame[FRAME];
	mem_fill(frame, sizeof(frame), (uint32_t)depth);
	if ((uintptr_t)frame < lowest)
		lowest = (uintptr_t)frame;
	if (depth)
		descend(depth - 1, at_bottom);
	else
		at_bottom();
	mem_check(frame, sizeof(frame), (uint32_t)depth, "frame of the stack");
}

static void nothing(void)
{
}

/* The frames above are in use while the task is dumped; it then goes far below them. */
static void dumped_here(void)
{
	struct rlimit limit;
	zdtm_assert(!getrlimit(RLIMIT_STACK, &limit));
	size_t room = limit.rlim_cur / 2 < (4 << 20) ? limit.rlim_cur / 2 : 4 << 20;
	uintptr_t before = lowest;
	struct mem_vma vma = mem_get_vma(&limit, "rw-p");
	bool grows = mem_vma_has_flag(&limit, "gd");

	zdtm_ready();

	struct mem_vma now = mem_get_vma(&limit, "rw-p");
	zdtm_assert_eq(now.start, vma.start);
	zdtm_assert_eq(now.end, vma.end);
	zdtm_assert(!strcmp(now.name, "[stack]"));
	zdtm_assert_eq(mem_vma_has_flag(&limit, "gd"), grows);
	descend(room / (FRAME + 128), nothing);
	zdtm_assert(before - lowest > room / 2);
	now = mem_get_vma(&limit, "rw-p");
	zdtm_assert(now.start < vma.start && now.start <= lowest);
}

int main(void)
{
	descend(50, dumped_here);
	zdtm_pass();
}
