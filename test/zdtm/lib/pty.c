/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pseudoterminals for the tests of terminals.
 */
#include "pty.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "zdtm.h"

struct pty pty_open_master(void)
{
	struct pty pty = { .master = open("/dev/ptmx", O_RDWR | O_NOCTTY), .slave = -1 };
	if (pty.master < 0)
		zdtm_fail("open '/dev/ptmx': %m");
	if (ioctl(pty.master, TIOCGPTN, &pty.index) || unlockpt(pty.master))
		zdtm_fail("/dev/ptmx: %m");
	return pty;
}

struct pty pty_open(void)
{
	struct pty pty = pty_open_master();
	pty.slave = pty_open_slave(&pty, O_RDWR);
	return pty;
}

int pty_open_slave(const struct pty *pty, int flags)
{
	char path[64];
	snprintf(path, sizeof(path), "/dev/pts/%d", pty->index);
	int fd = open(path, flags | O_NOCTTY);
	if (fd < 0)
		zdtm_fail("open '%s': %m", path);
	return fd;
}

void pty_set_raw(int fd)
{
	struct termios termios = pty_get_termios(fd);
	cfmakeraw(&termios);
	if (tcsetattr(fd, TCSANOW, &termios))
		zdtm_fail("tcsetattr of descriptor %d: %m", fd);
}

struct termios pty_get_termios(int fd)
{
	struct termios termios;
	memset(&termios, 0, sizeof(termios));
	if (tcgetattr(fd, &termios))
		zdtm_fail("tcgetattr of descriptor %d: %m", fd);
	return termios;
}

void pty_check_termios(int fd, const struct termios *before)
{
	struct termios now = pty_get_termios(fd);
	zdtm_assert_eq(now.c_iflag, before->c_iflag);
	zdtm_assert_eq(now.c_oflag, before->c_oflag);
	zdtm_assert_eq(now.c_cflag, before->c_cflag);
	zdtm_assert_eq(now.c_lflag, before->c_lflag);
	zdtm_assert_eq(now.c_line, before->c_line);
	zdtm_assert_eq(cfgetispeed(&now), cfgetispeed(before));
	zdtm_assert_eq(cfgetospeed(&now), cfgetospeed(before));
	for (size_t i = 0; i < NCCS; i++)
		if (now.c_cc[i] != before->c_cc[i])
			zdtm_fail("descriptor %d: character %zu of the terminal is %d, not %d", fd,
				  i, now.c_cc[i], before->c_cc[i]);
}

/* With a size in pixels that follows from the other. */
static struct winsize make_size(unsigned short rows, unsigned short columns)
{
	return (struct winsize){ .ws_row = rows,
				 .ws_col = columns,
				 .ws_xpixel = (unsigned short)(columns * 8),
				 .ws_ypixel = (unsigned short)(rows * 16) };
}

void pty_set_size(int fd, unsigned short rows, unsigned short columns)
{
	struct winsize size = make_size(rows, columns);
	if (ioctl(fd, TIOCSWINSZ, &size))
		zdtm_fail("descriptor %d: TIOCSWINSZ: %m", fd);
}

void pty_check_size(int fd, unsigned short rows, unsigned short columns)
{
	struct winsize size, expected = make_size(rows, columns);
	if (ioctl(fd, TIOCGWINSZ, &size))
		zdtm_fail("descriptor %d: TIOCGWINSZ: %m", fd);
	if (memcmp(&size, &expected, sizeof(size)))
		zdtm_fail("descriptor %d: the window has %d x %d (%d x %d), not %d x %d", fd,
			  size.ws_row, size.ws_col, size.ws_ypixel, size.ws_xpixel, rows, columns);
}

void pty_await_input(int fd, size_t size)
{
	uint64_t until = zdtm_now_ms() + 10000;
	int bytes;
	while (!ioctl(fd, FIONREAD, &bytes) && (size_t)bytes < size) {
		if (zdtm_now_ms() > until)
			zdtm_fail("descriptor %d has %d bytes of input, not %zu", fd, bytes, size);
		zdtm_sleep_ms(1);
	}
}

void pty_become_leader(int slave)
{
	if (setsid() < 0)
		zdtm_fail("setsid: %m");
	if (ioctl(slave, TIOCSCTTY, 0))
		zdtm_fail("descriptor %d: TIOCSCTTY: %m", slave);
}
