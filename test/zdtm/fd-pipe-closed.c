/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pipes of which one end is closed: the rest of the bytes and then the end of file, or EPIPE; the
 * restore itself does not hold the other end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

int main(void)
{
	int no_writer[2], no_reader[2], only_child_writes[2], empty[2];
	char buf[16];
	signal(SIGPIPE, SIG_IGN);
	zdtm_assert(!pipe(no_writer) && !pipe(no_reader) && !pipe(empty));
	zdtm_assert(write(no_writer[1], "the rest", 8) == 8);
	close(no_writer[1]);
	close(empty[1]);
	zdtm_assert(write(no_reader[1], "for nobody", 10) == 10);
	close(no_reader[0]);
	zdtm_assert(!pipe(only_child_writes));
	pid_t pid = fork();
	zdtm_assert(pid >= 0);
	if (!pid) {
		zdtm_wait();
		_exit(write(only_child_writes[1], "late", 4) == 4 ? 0 : 1);
	}
	close(only_child_writes[1]);

	zdtm_ready();

	zdtm_assert_eq(read(no_writer[0], buf, sizeof(buf)), 8);
	zdtm_assert_eq(read(no_writer[0], buf, sizeof(buf)), 0);
	zdtm_assert_eq(read(empty[0], buf, sizeof(buf)), 0);
	zdtm_assert(write(no_reader[1], "x", 1) < 0 && errno == EPIPE);
	struct pollfd pollfd = { .fd = no_reader[1], .events = POLLOUT };
	zdtm_assert(poll(&pollfd, 1, 0) == 1 && pollfd.revents & POLLERR);
	zdtm_join(pid);
	fd_expect(only_child_writes[0], "late");
	zdtm_assert_eq(read(only_child_writes[0], buf, sizeof(buf)), 0);
	zdtm_pass();
}
