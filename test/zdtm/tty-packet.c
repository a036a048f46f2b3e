/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A master in packet mode stays in it: what was pending comes as data and not as a change of state,
 * and later changes of state are told.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

/* Of the kernel's headers, which do not go with the C library's. */
#ifndef TIOCGPKT
#define TIOCGPKT _IOR('T', 0x38, int)
#endif

static void expect_packet(int fd, char type, const char *text)
{
	char buf[256];
	ssize_t n = read(fd, buf, sizeof(buf));
	if (n != 1 + (ssize_t)strlen(text) || buf[0] != type ||
	    memcmp(buf + 1, text, (size_t)n - 1))
		zdtm_fail("packet of %zd bytes, type %d, not type %d with '%s'", n,
			  n > 0 ? buf[0] : -1, type, text);
}

int main(void)
{
	const int on = 1;
	int is_on;
	struct pty pty = pty_open(), plain = pty_open();
	pty_set_raw(pty.slave);
	zdtm_assert(!fcntl(pty.master, F_SETFL, O_RDWR | O_NONBLOCK));
	zdtm_assert(!ioctl(pty.master, TIOCPKT, &on));
	fd_write_all(pty.slave, "pending", 7);
	pty_await_input(pty.master, 7);

	zdtm_ready();

	zdtm_assert(!ioctl(pty.master, TIOCGPKT, &is_on) && is_on);
	zdtm_assert(!ioctl(plain.master, TIOCGPKT, &is_on) && !is_on);
	expect_packet(pty.master, TIOCPKT_DATA, "pending");
	fd_write_all(pty.slave, "new", 3);
	pty_await_input(pty.master, 3);
	expect_packet(pty.master, TIOCPKT_DATA, "new");
	zdtm_assert(!tcflush(pty.slave, TCIFLUSH));
	expect_packet(pty.master, TIOCPKT_FLUSHREAD, "");
	zdtm_pass();
}
