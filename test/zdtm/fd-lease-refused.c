/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lease is not dumped without --file-locks: the dump names the option, and the lease is held on.
 */
/* refused: (lease): use --file-locks */
#include <fcntl.h>

#include "fd.h"
#include "zdtm.h"

int main(void)
{
	fd_make_file("file", 100, 1);
	int fd = fd_open("file", O_RDWR);
	if (fcntl(fd, F_SETLEASE, F_WRLCK))
		zdtm_skip("no lease of a file here: %m");

	zdtm_ready();

	zdtm_assert_eq(fcntl(fd, F_GETLEASE), F_WRLCK);
	zdtm_pass();
}
