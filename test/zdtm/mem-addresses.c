/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings in places where a tool would like to have its own: the lowest address, right behind the
 * stack, right behind the program, and the last page that a process can have.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

extern char end[]; /* of the program's data, by the linker */

static unsigned char *places[8];
static uint32_t count;

/* Maps two pages at @addr unless something is there. */
static void map_at(uintptr_t addr)
{
	size_t size = 2 * mem_page_size();
	void *mem = mmap((void *)addr, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (mem == MAP_FAILED)
		return;
	if (mem != (void *)addr) {
		munmap(mem, size);
		return;
	}
	mem_fill(mem, size, count);
	places[count++] = mem;
}

int main(void)
{
	size_t page = mem_page_size();
	char text[64];
	zdtm_read_file("/proc/sys/vm/mmap_min_addr", text, sizeof(text));
	uintptr_t lowest = (uintptr_t)atol(text);
	map_at((lowest + page - 1) / page * page);
	map_at(0x10000);
	map_at(0x100000);
	map_at(mem_get_vma(&page, "rw-p").end);
	map_at(mem_get_vma((void *)((uintptr_t)end - 1), "rw-p").end);
#if defined(__x86_64__)
	map_at(0x7ffffffff000 - 2 * page);
#elif defined(__aarch64__)
	map_at(0x1000000000000 - 2 * page);
#endif
	zdtm_assert(count >= 3);

	zdtm_ready();

	for (uint32_t i = 0; i < count; i++) {
		mem_get_vma(places[i], "rw-p");
		mem_check(places[i], 2 * page, i, "memory at a rare place");
	}
	zdtm_pass();
}
