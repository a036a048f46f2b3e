/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two ends of a pty in different tasks, the slave opened several times with flags of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

static struct pty pty;

static int child(void *arg)
{
	(void)arg;
	char buf[16];
	close(pty.master);
	int reader = pty_open_slave(&pty, O_RDONLY | O_NONBLOCK);
	int writer = pty_open_slave(&pty, O_WRONLY | O_CLOEXEC), copy = dup(writer);
	close(pty.slave);
	struct fd_state states[] = { fd_state_take(reader), fd_state_take(writer),
				     fd_state_take(copy) };
	zdtm_child_wait();
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check(&states[i]);
	pty_await_input(reader, 12);
	fd_expect(reader, "to the child");
	zdtm_assert(read(reader, buf, sizeof(buf)) < 0 && errno == EAGAIN);
	zdtm_assert(write(reader, "x", 1) < 0 && errno == EBADF);
	zdtm_assert(read(writer, buf, sizeof(buf)) < 0 && errno == EBADF);
	fd_write_all(writer, "from the ", 9);
	fd_write_all(copy, "child", 5);
	return 0;
}

int main(void)
{
	pty = pty_open();
	pty_set_raw(pty.slave);
	pid_t pid = zdtm_spawn(child, NULL);
	close(pty.slave);
	fd_write_all(pty.master, "to the ", 7);

	zdtm_ready();

	fd_write_all(pty.master, "child", 5);
	zdtm_join(pid);
	fd_expect(pty.master, "from the child");
	zdtm_pass();
}
