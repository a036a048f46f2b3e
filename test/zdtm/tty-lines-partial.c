/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A line that is still being typed can be edited and ended afterwards; nobody reads it before.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

int main(void)
{
	struct pty pty = pty_open();
	char buf[64];
	zdtm_assert(!fcntl(pty.slave, F_SETFL, O_RDWR | O_NONBLOCK));
	fd_write_all(pty.master, "part", 4);
	pty_await_input(pty.master, 4);
	fd_expect(pty.master, "part");

	zdtm_ready();

	zdtm_assert(read(pty.slave, buf, sizeof(buf)) < 0 && errno == EAGAIN);
	zdtm_assert(!fd_has_input(pty.master));
	/* The erase character takes the t away. */
	const char rest[] = { (char)pty_get_termios(pty.slave).c_cc[VERASE], 'k', 'e', 'd', '\n' };
	fd_write_all(pty.master, rest, sizeof(rest));
	pty_await_input(pty.slave, 7);
	fd_expect(pty.slave, "parked\n");
	fd_expect(pty.master, "\b \bked\r\n");
	zdtm_pass();
}
