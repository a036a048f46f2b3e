// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pidfile and status descriptor, see ready.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "base/apart.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/ready.h"

int ready_write_pidfile(int dirfd, const char *path, pid_t pid, struct err *err)
{
	char text[16];
	_cleanup_close_ int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(err, "create pidfile '%s'", path);
	snprintf(text, sizeof(text), "%d", (int)pid);
	int ret = io_write(fd, text, strlen(text));
	if (ret < 0) {
		ready_remove_pidfile(dirfd, path);
		return err_ret(err, ret, "write pidfile '%s'", path);
	}
	return 0;
}

void ready_remove_pidfile(int dirfd, const char *path)
{
	unlinkat(dirfd, path, 0);
}

int ready_await(int fd, int64_t deadline, struct err *err)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };
	int n = 0;

	if (fd < 0 || deadline == APART_NO_DEADLINE)
		return 0;
	while (n <= 0) {
		int64_t left = deadline - apart_now();

		if (left <= 0)
			return err_set(err, -ETIMEDOUT,
				       "status descriptor %d takes no byte (--timeout): nobody "
				       "reads what is in that pipe",
				       fd);
		n = poll(&room, 1, left < INT_MAX ? (int)left : INT_MAX);
	}
	return 0;
}

int ready_signal(int *fd, int64_t deadline, struct err *err)
{
	_cleanup_close_ int taken = take_fd(fd);
	int ret = ready_await(taken, deadline, err);

	if (taken < 0 || ret < 0)
		return ret;
	ret = io_write(taken, "", 1);
	return ret < 0 ? err_ret(err, ret, "write to status descriptor %d", taken) : 0;
}
