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

static int open_ptmx(int *ret_index)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		zdtm_fail("open '/dev/ptmx': %m");
	if (ioctl(fd, TIOCGPTN, ret_index))
		zdtm_fail("/dev/ptmx: TIOCGPTN: %m");
	return fd;
}

struct pty pty_open_master(void)
{
	enum { BLOCKS = 40, BLOCK = 8, FIRST = 16 };
	int wanted = FIRST + (int)(getpid() % BLOCKS) * BLOCK;
	int lower[FIRST + BLOCKS * BLOCK];
	int n = 0;
	struct pty pty = { .slave = -1 };
	for (;;) {
		pty.master = open_ptmx(&pty.index);
		if (pty.index >= wanted)
			break;
		lower[n++] = pty.master;
	}
	while (n)
		close(lower[--n]);
	fcntl(pty.master, F_SETFD, 0);
	if (unlockpt(pty.master))
		zdtm_fail("unlock pty %d: %m", pty.index);
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

void pty_set_size(int fd, unsigned short rows, unsigned short columns)
{
	struct winsize size = { .ws_row = rows, .ws_col = columns };
	if (ioctl(fd, TIOCSWINSZ, &size))
		zdtm_fail("descriptor %d: TIOCSWINSZ: %m", fd);
}

void pty_check_size(int fd, unsigned short rows, unsigned short columns)
{
	struct winsize size;
	if (ioctl(fd, TIOCGWINSZ, &size))
		zdtm_fail("descriptor %d: TIOCGWINSZ: %m", fd);
	if (size.ws_row != rows || size.ws_col != columns)
		zdtm_fail("descriptor %d: the window has %d x %d, not %d x %d", fd, size.ws_row,
			  size.ws_col, rows, columns);
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
