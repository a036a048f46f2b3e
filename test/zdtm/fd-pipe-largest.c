/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pipe of four megabytes, full: more than any buffer on its way holds. It takes CAP_SYS_RESOURCE,
 * or fs.pipe-max-size (test/engine/sizes raises it).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SIZE = 4 << 20 };

int main(void)
{
	int fds[2];
	zdtm_assert(!pipe2(fds, O_NONBLOCK));
	if (fcntl(fds[1], F_SETPIPE_SZ, SIZE) < 0)
		zdtm_skip("no pipe of %d bytes: %m", SIZE);
	char *buf = malloc(SIZE);
	zdtm_assert(buf);
	mem_fill(buf, SIZE, 1);
	zdtm_assert_eq(write(fds[1], buf, SIZE), SIZE);

	zdtm_ready();

	zdtm_assert_eq(fcntl(fds[0], F_GETPIPE_SZ), SIZE);
	zdtm_assert(write(fds[1], buf, 1) < 0 && errno == EAGAIN);
	fd_read_all(fds[0], buf, SIZE);
	mem_check(buf, SIZE, 1, "pipe");
	zdtm_assert(read(fds[0], buf, 1) < 0 && errno == EAGAIN);
	zdtm_pass();
}
