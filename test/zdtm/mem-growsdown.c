/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mapping made with MAP_GROWSDOWN keeps its pages and still grows when the page below is touched.
 */
#include "mem.h"
#include "zdtm.h"

int main(void)
{
	enum { ROOM = 4 << 20 };
	size_t page = mem_page_size();
	unsigned char *room = mem_map(ROOM, PROT_NONE, MAP_PRIVATE);
	zdtm_assert(!munmap(room, ROOM));
	unsigned char *top = room + ROOM;
	void *mem = mmap(top - 2 * page, 2 * page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	zdtm_assert(mem == top - 2 * page);
	for (uint32_t i = 1; i <= 20; i++)
		mem_fill(top - i * page, page, i);
	struct mem_vma before = mem_get_vma(top - page, "rw-p");
	zdtm_assert(before.start <= (uintptr_t)(top - 20 * page));

	zdtm_ready();

	struct mem_vma now = mem_get_vma(top - page, "rw-p");
	zdtm_assert_eq(now.start, before.start);
	zdtm_assert_eq(now.end, before.end);
	zdtm_assert(mem_vma_has_flag(top - page, "gd"));
	for (uint32_t i = 1; i <= 20; i++)
		mem_check(top - i * page, page, i, "page that grew before");
	for (uint32_t i = 21; i <= 60; i++)
		mem_fill(top - i * page, page, i);
	now = mem_get_vma(top - page, "rw-p");
	zdtm_assert(now.start <= (uintptr_t)(top - 60 * page));
	mem_check(top - 60 * page, page, 60, "page that grew after");
	zdtm_pass();
}
