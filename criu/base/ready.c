// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pidfile and status descriptor, see ready.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

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

int ready_signal(int *fd, struct err *err)
{
	_cleanup_close_ int taken = take_fd(fd);

	if (taken < 0)
		return 0;
	int ret = io_write(taken, "", 1);
	return ret < 0 ? err_ret(err, ret, "write to status descriptor %d", taken) : 0;
}
