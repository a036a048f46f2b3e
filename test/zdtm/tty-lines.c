/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lines that were typed ahead at a terminal in its usual mode are read one by one, end of file
 * included, and their echo was sent once.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

static void expect_line(int fd, const char *line)
{
	char buf[256];
	ssize_t n = read(fd, buf, sizeof(buf));
	if (n != (ssize_t)strlen(line) || memcmp(buf, line, (size_t)n))
		zdtm_fail("the line is '%.*s', not '%s'", n > 0 ? (int)n : 0, buf, line);
}

int main(void)
{
	static const char typed[] = "first\nsecond\n\004third\n";
	static const char echo[] = "first\r\nsecond\r\nthird\r\n";
	struct pty pty = pty_open();
	char buf[256];
	zdtm_assert(!fcntl(pty.slave, F_SETFL, O_RDWR | O_NONBLOCK));
	fd_write_all(pty.master, typed, sizeof(typed) - 1);
	pty_await_input(pty.master, sizeof(echo) - 1);

	zdtm_ready();

	fd_expect(pty.master, echo);
	expect_line(pty.slave, "first\n");
	expect_line(pty.slave, "second\n");
	zdtm_assert_eq(read(pty.slave, buf, sizeof(buf)), 0); /* the ^D */
	expect_line(pty.slave, "third\n");
	zdtm_assert(read(pty.slave, buf, sizeof(buf)) < 0 && errno == EAGAIN);
	fd_write_all(pty.master, "new\n", 4);
	pty_await_input(pty.slave, 4);
	expect_line(pty.slave, "new\n");
	fd_expect(pty.master, "new\r\n");
	zdtm_pass();
}
