/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The descriptor of a namespace is refused in words.
 */
/* refused: a network namespace */
#include <fcntl.h>
#include <sys/stat.h>

#include "fd.h"
#include "zdtm.h"

int main(void)
{
	struct stat before, after;
	int fd = fd_open("/proc/self/ns/net", O_RDONLY);
	zdtm_assert(!fstat(fd, &before));

	zdtm_ready();

	zdtm_assert(!fstat(fd, &after) && after.st_ino == before.st_ino);
	zdtm_pass();
}
