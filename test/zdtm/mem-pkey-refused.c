/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory with a protection key of its own is refused in words, and keeps it.
 */
/* refused: pkey_mprotect */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

int main(void)
{
	int key = (int)syscall(SYS_pkey_alloc, 0UL, 0UL);
	if (key < 0)
		zdtm_skip("no protection keys here: %m");
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zdtm_assert(mem != MAP_FAILED);
	zdtm_assert(!syscall(SYS_pkey_mprotect, mem, size, PROT_READ | PROT_WRITE, key));
	*mem = 7;

	zdtm_ready();

	zdtm_assert_eq(*mem, 7);
	zdtm_pass();
}
