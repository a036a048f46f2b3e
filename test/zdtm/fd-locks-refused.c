/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file lock is not dumped without --file-locks: the dump names the option, and the lock is held
 * on.
 */
/* refused: file-locks */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

int main(void)
{
	fd_make_file("file", 100, 1);
	int fd = fd_open("file", O_RDWR);
	zdtm_assert(!flock(fd, LOCK_EX));

	zdtm_ready();

	int other = fd_open("file", O_RDWR);
	zdtm_assert(flock(other, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	zdtm_pass();
}
