/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that is sealed by mseal(2) is refused in words, and stays sealed.
 */
/* refused: sealed (mseal) */
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

#ifndef SYS_mseal
#define SYS_mseal 462 /* Linux 6.10 */
#endif

int main(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	char *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	zdtm_assert(mem != MAP_FAILED);
	*mem = 7;
	if (syscall(SYS_mseal, mem, size, 0UL))
		zdtm_skip("no mseal(2) here: %m");

	zdtm_ready();

	zdtm_assert_eq(*mem, 7);
	zdtm_assert(munmap(mem, size) < 0 && errno == EPERM);
	zdtm_pass();
}
