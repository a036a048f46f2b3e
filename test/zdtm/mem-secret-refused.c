/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Secret memory cannot be read by anybody else, nor by the kernel for it: a dump is refused in
 * words.
 */
/* refused: memfd_secret */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447 /* Linux 5.14 */
#endif

int main(void)
{
	long size = sysconf(_SC_PAGESIZE);
	int fd = (int)syscall(SYS_memfd_secret, 0);
	if (fd < 0)
		zdtm_skip("no secret memory: %m");
	zdtm_assert(!ftruncate(fd, size));
	char *mem = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	zdtm_assert(mem != MAP_FAILED);
	*mem = 7;
	close(fd);

	zdtm_ready();

	zdtm_assert_eq(*mem, 7);
	zdtm_pass();
}
