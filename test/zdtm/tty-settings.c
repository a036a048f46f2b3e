/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Terminals keep their modes, control characters, speeds, window size, exclusive use and lock.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

/* Of the kernel's headers, which do not go with the C library's. */
#ifndef TIOCGPTLCK
#define TIOCGPTLCK _IOR('T', 0x39, int)
#endif
#ifndef TIOCGEXCL
#define TIOCGEXCL _IOR('T', 0x40, int)
#endif

enum { RAW, ODD, PLAIN, EXCLUSIVE, LOCKED, N };

static void set_odd(int fd)
{
	struct termios termios = pty_get_termios(fd);
	termios.c_iflag = INLCR | IXOFF | ISTRIP;
	termios.c_oflag = OPOST | ONOCR;
	termios.c_lflag = ICANON | ECHO | ECHONL | NOFLSH | TOSTOP;
	termios.c_cflag |= HUPCL | CSTOPB;
	termios.c_cc[VEOF] = 1;
	termios.c_cc[VERASE] = 'e';
	termios.c_cc[VINTR] = _POSIX_VDISABLE;
	termios.c_cc[VMIN] = 7;
	termios.c_cc[VTIME] = 9;
	cfsetispeed(&termios, B1200);
	cfsetospeed(&termios, B115200);
	zdtm_assert(!tcsetattr(fd, TCSANOW, &termios));
}

static int flag_of(int fd, unsigned long request)
{
	int value;
	zdtm_assert(!ioctl(fd, request, &value));
	return value;
}

int main(void)
{
	struct pty ptys[N];
	struct termios before[N];
	const int on = 1;
	for (unsigned short i = 0; i < N; i++) {
		ptys[i] = i == LOCKED ? pty_open_master() : pty_open();
		if (i)
			pty_set_size(ptys[i].master, 10 + i, 100 + i);
	}
	pty_set_raw(ptys[RAW].slave);
	set_odd(ptys[ODD].slave);
	zdtm_assert(!ioctl(ptys[EXCLUSIVE].slave, TIOCEXCL));
	zdtm_assert(!ioctl(ptys[LOCKED].master, TIOCSPTLCK, &on));
	for (size_t i = 0; i < N; i++)
		before[i] = pty_get_termios(ptys[i].master);

	zdtm_ready();

	for (unsigned short i = 0; i < N; i++) {
		pty_check_termios(ptys[i].master, &before[i]);
		if (i)
			pty_check_size(ptys[i].master, 10 + i, 100 + i);
		zdtm_assert_eq(flag_of(ptys[i].master, TIOCGPTLCK), i == LOCKED);
		if (i == LOCKED)
			continue;
		pty_check_termios(ptys[i].slave, &before[i]);
		zdtm_assert_eq(flag_of(ptys[i].slave, TIOCGEXCL), i == EXCLUSIVE);
	}
	struct winsize none;
	zdtm_assert(!ioctl(ptys[RAW].slave, TIOCGWINSZ, &none));
	zdtm_assert(!none.ws_row && !none.ws_col && !none.ws_xpixel && !none.ws_ypixel);
	zdtm_pass();
}
