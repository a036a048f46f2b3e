/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Masters without an open slave: one whose slave nobody has opened yet, which has nothing to read,
 * and one whose slave is closed again, which gives what is left and then an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

int main(void)
{
	char buf[16];
	struct pty fresh = pty_open_master(), closed = pty_open(), left = pty_open();
	struct pty *const all[] = { &fresh, &closed, &left };
	enum { N = sizeof(all) / sizeof(*all) };
	struct fd_state states[N];
	pty_set_raw(left.slave);
	fd_write_all(left.slave, "left", 4);
	pty_await_input(left.master, 4);
	close(left.slave);
	close(closed.slave);
	for (size_t i = 0; i < N; i++) {
		zdtm_assert(!fcntl(all[i]->master, F_SETFL, O_RDWR | O_NONBLOCK));
		states[i] = fd_state_take(all[i]->master);
	}

	zdtm_ready();

	for (size_t i = 0; i < N; i++)
		fd_state_check(&states[i]);
	zdtm_assert(read(fresh.master, buf, sizeof(buf)) < 0 && errno == EAGAIN);
	zdtm_assert(read(closed.master, buf, sizeof(buf)) < 0 && errno == EIO);
	fd_expect(left.master, "left");
	zdtm_assert(read(left.master, buf, sizeof(buf)) < 0 && errno == EIO);
	for (size_t i = 0; i < N; i++) {
		int slave = pty_open_slave(all[i], O_RDWR);
		pty_set_raw(slave);
		fd_write_all(slave, "new", 3);
		pty_await_input(all[i]->master, 3);
		fd_expect(all[i]->master, "new");
	}
	zdtm_pass();
}
