/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Four thousand neighbouring mappings keep their bounds, permissions and bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "zdtm.h"

enum { COUNT = 4000 };

int main(void)
{
	size_t page = mem_page_size();
	static const int prots[] = { PROT_READ | PROT_WRITE, PROT_NONE, PROT_READ, PROT_NONE,
				     PROT_READ | PROT_EXEC };
	enum { PROTS = sizeof(prots) / sizeof(*prots) };
	unsigned char *mem = mem_map(COUNT * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	for (uint32_t i = 0; i < COUNT; i++) {
		mem_fill(mem + i * page, page, i);
		zdtm_assert(!mprotect(mem + i * page, page, prots[i % PROTS]));
	}
	char *before = mem_maps_text(mem, COUNT * page);

	zdtm_ready();

	char *now = mem_maps_text(mem, COUNT * page);
	if (strcmp(now, before))
		zdtm_fail("/proc/self/maps has changed: %zu bytes, before %zu", strlen(now),
			  strlen(before));
	for (uint32_t i = 0; i < COUNT; i++) {
		zdtm_assert(!mprotect(mem + i * page, page, PROT_READ));
		mem_check(mem + i * page, page, i, "mapping of one page");
	}
	zdtm_pass();
}
