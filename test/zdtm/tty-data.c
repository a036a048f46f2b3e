/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes that have been written to either end of a raw pty and not been read yet are still there,
 * once and in order, and both ends go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "pty.h"
#include "zdtm.h"

enum { SIZE = 3000 };

static void check_bytes(int fd, uint32_t seed)
{
	char buf[SIZE];
	fd_read_all(fd, buf, sizeof(buf));
	mem_check(buf, sizeof(buf), seed, "what was written to the pty");
	zdtm_assert(read(fd, buf, sizeof(buf)) < 0 && errno == EAGAIN);
}

int main(void)
{
	char buf[SIZE];
	struct pty pty = pty_open();
	pty_set_raw(pty.slave);
	zdtm_assert(!fcntl(pty.master, F_SETFL, O_RDWR | O_NONBLOCK));
	zdtm_assert(!fcntl(pty.slave, F_SETFL, O_RDWR | O_NONBLOCK));
	mem_fill(buf, sizeof(buf), 1);
	fd_write_all(pty.master, buf, sizeof(buf));
	mem_fill(buf, sizeof(buf), 2);
	fd_write_all(pty.slave, buf, sizeof(buf));
	pty_await_input(pty.slave, SIZE);
	pty_await_input(pty.master, SIZE);
	struct fd_state states[] = { fd_state_take(pty.master), fd_state_take(pty.slave) };

	zdtm_ready();

	fd_state_check(&states[0]);
	fd_state_check(&states[1]);
	check_bytes(pty.slave, 1);
	check_bytes(pty.master, 2);
	fd_write_all(pty.master, "to the slave", 12);
	pty_await_input(pty.slave, 12);
	fd_expect(pty.slave, "to the slave");
	fd_write_all(pty.slave, "to the master", 13);
	pty_await_input(pty.master, 13);
	fd_expect(pty.master, "to the master");
	zdtm_pass();
}
