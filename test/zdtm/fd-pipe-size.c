/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pipes keep the size that F_SETPIPE_SZ gave them, with more in them than a pipe usually holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { BIG = 1 << 20, CONTENT = 300000 };

static void new_pipe(int fds[2], int size)
{
	zdtm_assert(!pipe2(fds, O_NONBLOCK));
	if (fcntl(fds[1], F_SETPIPE_SZ, size) < 0)
		zdtm_skip("no pipe of %d bytes: %m", size);
}

int main(void)
{
	int small[2], big[2], empty[2];
	const int page = (int)mem_page_size();
	new_pipe(small, page);
	new_pipe(big, BIG);
	new_pipe(empty, 4 * page);
	char *buf = malloc(BIG);
	zdtm_assert(buf);
	mem_fill(buf, BIG, 1);
	zdtm_assert_eq(write(small[1], buf, BIG), page);
	zdtm_assert_eq(write(big[1], buf, CONTENT), CONTENT);

	zdtm_ready();

	zdtm_assert_eq(fcntl(small[0], F_GETPIPE_SZ), page);
	zdtm_assert_eq(fcntl(big[0], F_GETPIPE_SZ), BIG);
	zdtm_assert_eq(fcntl(empty[0], F_GETPIPE_SZ), 4 * page);
	zdtm_assert(write(small[1], buf, 1) < 0 && errno == EAGAIN);
	fd_read_all(small[0], buf, (size_t)page);
	mem_check(buf, (size_t)page, 1, "small pipe");
	fd_read_all(big[0], buf, CONTENT);
	mem_check(buf, CONTENT, 1, "big pipe");
	zdtm_assert(read(big[0], buf, 1) < 0 && errno == EAGAIN);
	zdtm_assert_eq(write(big[1], buf, BIG), BIG);
	zdtm_assert_eq(write(empty[1], buf, BIG), 4 * page);
	zdtm_pass();
}
