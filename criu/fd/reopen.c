// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors made of other descriptors, see reopen.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pidref.h"
#include "fd/reopen.h"

enum { SETTABLE = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME };

int fd_reopen(int fd, int flags, struct err *err)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int copy = open(path, flags | O_CLOEXEC | O_NOCTTY);
	if (copy < 0 && errno == ENOENT && access("/proc/self/fd", F_OK))
		return err_set(err, -ENOENT,
			       "open a descriptor again: /proc is not mounted here, "
			       "mount it (mount -t proc proc /proc)");
	return copy < 0 ? err_sys(err, "open a descriptor again by '%s'", path) : copy;
}

int fd_set_status(int fd, uint32_t flags, struct err *err)
{
	int now = fcntl(fd, F_GETFL);

	if (now < 0)
		return err_sys(err, "get the flags of a descriptor");
	if (!((now ^ (int)flags) & SETTABLE))
		return 0;
	if (fcntl(fd, F_SETFL, (now & ~SETTABLE) | ((int)flags & SETTABLE)))
		return err_sys(err, "F_SETFL %#x", flags);
	return 0;
}

bool fd_needs_async(uint32_t flags, const FownEntry *fown)
{
	return fown->pid || fown->signum || (flags & O_ASYNC);
}

int fd_set_async(int fd, uint32_t flags, const FownEntry *fown, struct err *err)
{
	int ret = fd_fown_apply(fown, fd, err);

	if (ret < 0 || !(flags & O_ASYNC))
		return ret;
	int now = fcntl(fd, F_GETFL);
	if (now < 0 || fcntl(fd, F_SETFL, now | O_ASYNC))
		return err_sys(err, "F_SETFL O_ASYNC");
	return 0;
}

int fd_of_task(const struct task *task, int number, struct err *err)
{
	_cleanup_close_ int pidfd = pidref_open(task->pid);

	if (pidfd < 0)
		return err_ret(err, pidfd, "pidfd_open task %d", task->pid);
	int fd = pidref_getfd(pidfd, number);
	return fd < 0 ?
		       err_ret(err, fd, "pidfd_getfd descriptor %d of task %d", number, task->pid) :
		       fd;
}

int fd_fetch_number(const struct fd_opener *opener, const struct task *task, int number,
		    struct err *err)
{
	if (task == opener->task) {
		int fd = fcntl(number, F_DUPFD_CLOEXEC, 0);

		return fd < 0 ? err_sys(err, "duplicate descriptor %d", number) : fd;
	}
	return fd_of_task(task, number, err);
}

int fd_open_inherited(const struct ofd *ofd, uint32_t flags, int *ret_fd, struct err *err)
{
	int have = fcntl(ofd->inherited_fd, F_GETFL), want = (int)(flags & O_ACCMODE);
	int ret = 0;

	if (have < 0)
		return err_sys(err, "get the flags of an inherited descriptor");
	have &= O_ACCMODE;
	if (have == want || have == O_RDWR) {
		int copy = fcntl(ofd->inherited_fd, F_DUPFD_CLOEXEC, 0);

		if (copy < 0)
			return err_sys(err, "duplicate an inherited descriptor");
		*ret_fd = copy;
		return 0;
	}
	_cleanup_close_ int fd = fd_reopen(ofd->inherited_fd, want | O_NONBLOCK, err);
	if (fd >= 0)
		ret = fd_set_status(fd, flags, err);
	if (fd < 0 || ret < 0)
		return fd < 0 ? fd : ret;
	*ret_fd = take_fd(&fd);
	return 0;
}
