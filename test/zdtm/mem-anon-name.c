/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names that prctl(PR_SET_VMA) gave to anonymous mappings are kept.
 */
#include <linux/prctl.h>
#include <string.h>
#include <sys/prctl.h>

#include "mem.h"
#include "zdtm.h"

/* Since Linux 5.17; older headers lack them. */
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#ifndef PR_SET_VMA_ANON_NAME
#define PR_SET_VMA_ANON_NAME 0
#endif

enum { PAGES = 4 };

static bool set_name(const void *mem, size_t size, const char *name)
{
	return !prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, mem, size, name);
}

int main(void)
{
	size_t page = mem_page_size();
	unsigned char *plain = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *part = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	unsigned char *shared = mem_map(PAGES * page, PROT_READ | PROT_WRITE, MAP_SHARED);
	if (!set_name(plain, PAGES * page, "a name with spaces"))
		zdtm_skip("the kernel does not name anonymous mappings: %m");
	zdtm_assert(set_name(part + page, page, "part"));
	bool has_shared = set_name(shared, PAGES * page, "shared one"); /* since Linux 6.2 */
	mem_fill(part, PAGES * page, 1);

	zdtm_ready();

	zdtm_assert(!strcmp(mem_get_vma(plain, "rw-p").name, "[anon:a name with spaces]"));
	zdtm_assert(!strcmp(mem_get_vma(part + page, "rw-p").name, "[anon:part]"));
	zdtm_assert(strcmp(mem_get_vma(part, "rw-p").name, "[anon:part]"));
	if (has_shared)
		zdtm_assert(!strcmp(mem_get_vma(shared, "rw-s").name, "[anon_shmem:shared one]"));
	mem_check(part, PAGES * page, 1, "named memory");
	zdtm_pass();
}
