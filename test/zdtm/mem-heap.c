/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heap keeps its bytes and its end, and grows and shrinks there: by brk() and by malloc().
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

enum { BLOCKS = 2000, OWN = 1 << 20 };

static size_t block_size(size_t i)
{
	return 1 + i * 7919 % 3001;
}

int main(void)
{
	static unsigned char *blocks[BLOCKS];
	for (size_t i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(block_size(i));
		zdtm_assert(blocks[i]);
		mem_fill(blocks[i], block_size(i), (uint32_t)i);
	}
	for (size_t i = 0; i < BLOCKS; i += 3) {
		free(blocks[i]);
		blocks[i] = NULL;
	}
	unsigned char *own = sbrk(OWN + 100); /* malloc() sees that it is not alone */
	zdtm_assert(own != (void *)-1);
	mem_fill(own, OWN + 100, 1);
	unsigned char *end = sbrk(0);

	zdtm_ready();

	zdtm_assert(sbrk(0) == end);
	mem_check(own, OWN + 100, 1, "memory from brk()");
	unsigned char *more = sbrk(3 * OWN);
	zdtm_assert(more == end);
	mem_check_zero(more, 3 * OWN, "memory that brk() added");
	mem_fill(more, 3 * OWN, 2);
	mem_check(own, OWN + 100, 1, "memory below the old end");
	struct mem_vma heap = mem_get_vma(more + OWN, "rw-p");
	zdtm_assert(!strcmp(heap.name, "[heap]"));
	zdtm_assert(heap.start <= (uintptr_t)own && heap.end >= (uintptr_t)(more + 3 * OWN));
	zdtm_assert(sbrk(-2 * OWN) == more + 3 * OWN);
	zdtm_assert(!mem_readable(more + 2 * OWN));
	for (size_t i = 0; i < BLOCKS; i++) {
		if (blocks[i])
			mem_check(blocks[i], block_size(i), (uint32_t)i, "block of malloc()");
		blocks[i] = realloc(blocks[i], 2 * block_size(i));
		zdtm_assert(blocks[i]);
	}
	for (size_t i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	zdtm_pass();
}
