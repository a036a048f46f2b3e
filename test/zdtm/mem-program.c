/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program's own data: initialised, zero, thread-local, and pointers that the dynamic linker has
 * set and made read-only.
 */
#include <stdio.h>
#include <string.h>

#include "mem.h"
#include "zdtm.h"

enum { SIZE = 100000 };

static unsigned char data[SIZE] = { 1, 2, 3 };
static unsigned char untouched[SIZE] = { 4, 5, 6 };
static unsigned char bss[2 * SIZE];
static __thread unsigned char local[SIZE];
static FILE *const *volatile const relocated[] = { &stdin, &stdout, &stderr };

int main(void)
{
	mem_fill(data + 5000, SIZE - 5000, 1);
	mem_fill(bss + SIZE, SIZE, 2);
	mem_fill(local, SIZE, 3);
	struct mem_vma before;
	zdtm_assert(mem_find_vma(&relocated, &before));

	zdtm_ready();

	zdtm_assert(data[0] == 1 && data[1] == 2 && data[2] == 3);
	mem_check_zero(data + 3, 5000 - 3, "unchanged data");
	mem_check(data + 5000, SIZE - 5000, 1, "changed data");
	zdtm_assert(untouched[0] == 4 && untouched[2] == 6);
	mem_check_zero(untouched + 3, SIZE - 3, "untouched data");
	mem_check_zero(bss, SIZE, "untouched zeroes");
	mem_check(bss + SIZE, SIZE, 2, "changed zeroes");
	mem_check(local, SIZE, 3, "thread-local data");
	zdtm_assert(relocated[0] == &stdin && relocated[2] == &stderr);
	struct mem_vma now = mem_get_vma(&relocated, before.perms);
	zdtm_assert_eq(now.inode, before.inode);
	zdtm_assert_eq(now.offset, before.offset);
	zdtm_assert(!strcmp(now.name, before.name));
	zdtm_pass();
}
