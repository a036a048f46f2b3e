/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Slaves whose master is closed are hung up: end of file for the reader, an error for the writer.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

static int slaves[3];

static void check(void)
{
	char buf[16];
	for (size_t i = 0; i < 3; i++) {
		struct pollfd pollfd = { .fd = slaves[i], .events = POLLIN };
		struct termios termios;
		zdtm_assert_eq(read(slaves[i], buf, sizeof(buf)), 0);
		zdtm_assert(write(slaves[i], "x", 1) < 0 && errno == EIO);
		zdtm_assert(tcgetattr(slaves[i], &termios) < 0 && errno == EIO);
		zdtm_assert(poll(&pollfd, 1, 0) == 1 && pollfd.revents & POLLHUP);
	}
}

static int child(void *arg)
{
	(void)arg;
	zdtm_child_wait();
	check();
	return 0;
}

int main(void)
{
	struct pty pty = pty_open(), alive = pty_open();
	signal(SIGHUP, SIG_IGN);
	slaves[0] = pty.slave;
	slaves[1] = dup(pty.slave);
	slaves[2] = pty_open_slave(&pty, O_RDWR | O_NONBLOCK);
	fd_write_all(pty.master, "lost\n", 5);
	close(pty.master);
	check();
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	check();
	fd_check_closed(pty.master);
	zdtm_join(pid);
	pty_set_raw(alive.slave);
	fd_write_all(alive.master, "alive", 5);
	pty_await_input(alive.slave, 5);
	fd_expect(alive.slave, "alive");
	zdtm_pass();
}
