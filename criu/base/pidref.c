// SPDX-License-Identifier: GPL-2.0-only
/*
 * pidfd system calls, see pidref.h.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/apart.h"
#include "base/pidref.h"

int pidref_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int pidref_getfd(int pidfd, int fd)
{
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	return copy < 0 ? -errno : copy;
}

int pidref_kill(int pidfd, int signo)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signo, NULL, 0) ? -errno : 0;
}

int pidref_has_exited(int pidfd)
{
	struct pollfd poll_fd = { .fd = pidfd, .events = POLLIN };
	int n = poll(&poll_fd, 1, 0);

	return n < 0 ? -errno : n;
}

bool pidref_ends_by(int pidfd, int64_t deadline)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };

	for (;;) {
		int64_t left = deadline - apart_now();
		int ms = left < 0 ? 0 : left < INT_MAX ? (int)left : INT_MAX;

		if (poll(&ended, 1, ms) > 0)
			return true;
		if (left <= 0)
			return false;
	}
}
