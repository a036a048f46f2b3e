/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A reservation of a terabyte with few touched pages, as runtimes with own heaps make it: dumped
 * and restored without its holes, and not as accountable memory.
 */
#include "mem.h"
#include "zdtm.h"

enum { PAGES = 3 };

int main(void)
{
#if UINTPTR_MAX > UINT32_MAX
	const size_t size = (size_t)1 << 40;
	size_t page = mem_page_size();
	const size_t places[] = { 0, (size_t)3 << 30, size / 2 + 5 * page, size - PAGES * page };
	enum { N = sizeof(places) / sizeof(*places) };
	unsigned char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		zdtm_skip("no reservation of a terabyte: %m");
	unsigned char *closed = mem_map(size, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE);
	for (uint32_t i = 0; i < N; i++)
		mem_fill(mem + places[i], PAGES * page, i);
	zdtm_assert(!mprotect(closed + size / 2, page, PROT_READ | PROT_WRITE));
	mem_fill(closed + size / 2, page, N);
	bool no_reserve = mem_vma_has_flag(mem, "nr");

	zdtm_ready();

	zdtm_assert_eq(mem_vma_has_flag(mem, "nr"), no_reserve);
	struct mem_vma vma = mem_get_vma(mem, "rw-p");
	zdtm_assert(vma.start <= (uintptr_t)mem && vma.end >= (uintptr_t)mem + size);
	for (uint32_t i = 0; i < N; i++)
		mem_check(mem + places[i], PAGES * page, i, "touched pages");
	mem_get_vma(closed, "---p");
	mem_check(closed + size / 2, page, N, "page of the closed reservation");
	zdtm_assert(!mem_page_exists(mem + size / 4));
	zdtm_assert_eq(mem_count_pages(mem, 1 << 20), PAGES + PAGES);
	mem_check_zero(mem + PAGES * page, 64 * page, "untouched pages");
	zdtm_pass();
#else
	zdtm_skip("no room for a terabyte in 32 bits");
#endif
}
