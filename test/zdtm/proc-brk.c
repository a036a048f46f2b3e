/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The program break: where it was, with its content, and it can be moved both ways from there.
 */
#include <unistd.h>

#include "zdtm.h"

enum { GROWN = 300 * 1024 + 123, MORE = 1024 * 1024 }; /* not at a page's edge */

static void fill(unsigned char *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		from[i] = (unsigned char)(i * 13 + i / 4096);
}

static void check(const unsigned char *from, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (from[i] != (unsigned char)(i * 13 + i / 4096))
			zdtm_fail("byte %zu above the old break is %d", i, from[i]);
}

int main(void)
{
	unsigned char *start = sbrk(GROWN);
	zdtm_assert(start != (void *)-1);
	fill(start, GROWN);
	zdtm_ready();
	zdtm_assert(sbrk(0) == start + GROWN);
	check(start, GROWN);
	zdtm_assert(sbrk(MORE) == start + GROWN);
	fill(start, GROWN + MORE);
	zdtm_assert(sbrk(-MORE - GROWN / 2) == start + GROWN + MORE);
	check(start, GROWN - GROWN / 2);
	zdtm_assert(sbrk(0) == start + GROWN - GROWN / 2);
	zdtm_pass();
}
