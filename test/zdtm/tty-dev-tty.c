/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of /dev/tty are again of the controlling terminal, each of the two sessions in the
 * tree having its own; one of them has no other descriptor of it.
 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

struct session {
	struct pty pty;
	bool keeps_slave;
	const char *text;
};

static int leader(void *arg)
{
	struct session *session = arg;
	char link[PATH_MAX];
	pty_become_leader(session->pty.slave);
	int tty = fd_open("/dev/tty", O_WRONLY), copy = fd_open("/dev/tty", O_RDWR | O_NONBLOCK);
	if (!session->keeps_slave)
		close(session->pty.slave);
	close(session->pty.master);
	struct fd_state states[] = { fd_state_take(tty), fd_state_take(copy) };
	zdtm_child_wait();
	for (size_t i = 0; i < 2; i++) {
		fd_state_check(&states[i]);
		fd_link(states[i].fd, link, sizeof(link));
		zdtm_assert(!strcmp(link, "/dev/tty"));
		zdtm_assert_eq(tcgetsid(states[i].fd), getpid());
	}
	fd_write_all(tty, session->text, strlen(session->text));
	fd_expect(fd_open("/dev/tty", O_RDONLY), session->text);
	return 0;
}

int main(void)
{
	struct session sessions[] = { { { 0 }, true, "one\n" }, { { 0 }, false, "two\n" } };
	enum { N = sizeof(sessions) / sizeof(*sessions) };
	pid_t pids[N];
	for (size_t i = 0; i < N; i++) {
		sessions[i].pty = pty_open();
		pty_set_raw(sessions[i].pty.slave);
	}
	for (size_t i = 0; i < N; i++)
		pids[i] = zdtm_spawn(leader, &sessions[i]);
	for (size_t i = 0; i < N; i++)
		close(sessions[i].pty.slave);

	zdtm_ready();

	for (size_t i = 0; i < N; i++) {
		fd_write_all(sessions[i].pty.master, sessions[i].text, 4);
		zdtm_join(pids[i]);
		fd_expect(sessions[i].pty.master, sessions[i].text);
	}
	zdtm_pass();
}
