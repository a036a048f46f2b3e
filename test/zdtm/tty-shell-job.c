/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A job of a shell outside the tree: its descriptors are of the terminal on which it is restored,
 * with the modes that the job had set, and its group is in the foreground there.
 */
/* needs: shell-job */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

static dev_t terminal_of(int fd)
{
	struct stat stat;
	zdtm_assert(isatty(fd));
	zdtm_assert(!fstat(fd, &stat));
	return stat.st_rdev;
}

static int child(void *arg)
{
	int tty = fd_open("/dev/tty", O_WRONLY);
	(void)arg;
	zdtm_child_wait();
	zdtm_assert_eq(terminal_of(0), terminal_of(2));
	zdtm_assert_eq(tcgetpgrp(tty), getpgrp());
	fd_write_all(tty, "child\r\n", 7);
	return 0;
}

int main(void)
{
	struct termios termios = pty_get_termios(0);
	int tty = fd_open("/dev/tty", O_RDWR);
	int apart = fd_open(ttyname(0), O_RDWR | O_NONBLOCK | O_NOCTTY);
	termios.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
	termios.c_iflag &= ~(tcflag_t)ICRNL;
	termios.c_cc[VINTR] = 5;
	termios.c_cc[VMIN] = 3;
	zdtm_assert(!tcsetattr(0, TCSANOW, &termios));
	struct fd_state states[] = { fd_state_take(0), fd_state_take(1), fd_state_take(2),
				     fd_state_take(tty), fd_state_take(apart) };
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		zdtm_assert(isatty(states[i].fd));
		zdtm_assert_eq(fcntl(states[i].fd, F_GETFL), states[i].status);
		zdtm_assert_eq(fcntl(states[i].fd, F_GETFD), states[i].cloexec);
	}
	zdtm_assert_eq(terminal_of(0), terminal_of(1));
	zdtm_assert_eq(terminal_of(0), terminal_of(2));
	zdtm_assert_eq(terminal_of(0), terminal_of(apart));
	zdtm_assert_eq(tcgetpgrp(0), getpgrp());
	zdtm_assert_eq(tcgetpgrp(tty), getpgrp());
	zdtm_assert_eq(tcgetsid(0), getsid(0));
	pty_check_termios(0, &termios);
	fd_write_all(1, "output\r\n", 8);
	zdtm_join(pid);
	zdtm_pass();
}
