/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A FIFO that was opened for reading before anybody wrote does not show the end of the file until a
 * writer has come and gone; one whose writer has gone shows it.
 */
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

static short events_of(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int n = poll(&pollfd, 1, 0);
	zdtm_assert(n >= 0);
	return n ? pollfd.revents : 0;
}

int main(void)
{
	char buf[16];
	zdtm_assert(!mkfifo("waiting", 0600) && !mkfifo("left", 0600));
	int waiting = fd_open("waiting", O_RDONLY | O_NONBLOCK);
	int left = fd_open("left", O_RDONLY | O_NONBLOCK);
	close(fd_open("left", O_WRONLY));
	zdtm_assert_eq(events_of(waiting), 0);
	zdtm_assert_eq(events_of(left), POLLHUP);

	zdtm_ready();

	zdtm_assert_eq(events_of(waiting), 0);
	zdtm_assert_eq(events_of(left), POLLHUP);
	int writer = fd_open("waiting", O_WRONLY | O_NONBLOCK);
	fd_write_all(writer, "late", 4);
	zdtm_assert_eq(events_of(waiting), POLLIN);
	close(writer);
	fd_expect(waiting, "late");
	zdtm_assert_eq(events_of(waiting), POLLHUP);
	zdtm_assert_eq(read(waiting, buf, sizeof(buf)), 0);
	zdtm_pass();
}
