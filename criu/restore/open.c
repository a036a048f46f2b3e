// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps that fill a descriptor table: a description is opened by the task that owns it, and the
 * others take a duplicate of that with pidfd_getfd().
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pidref.h"
#include "restore/context.h"
#include "restore/open.h"

/*
 * Puts @fd_take at its number. Numbers that the table will have are occupied, so @fd_take is
 * none of them unless it is the right one.
 */
static int install(int fd_take, int number, bool cloexec, struct err *err)
{
	if (fd_take == number) {
		if (fcntl(number, F_SETFD, cloexec ? FD_CLOEXEC : 0) < 0)
			return err_sys(err, "set flags of descriptor %d", number);
		return 0;
	}
	_cleanup_close_ int fd = fd_take;

	if (dup3(fd, number, cloexec ? O_CLOEXEC : 0) < 0)
		return err_sys(err, "put a descriptor at number %d", number);
	return 0;
}

/* Kernels before 5.9 have no close_range(2). */
static void close_below(int end)
{
	if (syscall(SYS_close_range, 0, end - 1, 0) == 0)
		return;
	for (int fd = 0; fd < end; fd++)
		close(fd);
}

/*
 * Empties the table but for crib's own, and occupies the numbers that will be needed, so that
 * whatever is opened meanwhile stands elsewhere.
 */
int step_open_begin(void *ctx, const struct step *step, struct err *err)
{
	struct actor *actor = ctx;
	const struct fdtable *fdt = actor->task->fdt;

	close_below(actor->restore->service_fd);
	_cleanup_close_ int null =
		fcntl(actor->restore->images_fd, F_DUPFD_CLOEXEC, actor->restore->service_fd);
	if (null < 0)
		return err_sys(err, "duplicate a descriptor");
	for (size_t i = 0; i < fdt->slots.n; i++)
		if (dup3(null, fdt->slots.v[i].fd, O_CLOEXEC) < 0)
			return err_sys(err, "occupy descriptor %d", fdt->slots.v[i].fd);
	return 0;
}

int actor_fetch_ofd(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err)
{
	int fd;

	if (ofd->owner == opener->task) {
		fd = fcntl(ofd->owner_fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return err_sys(err, "duplicate descriptor %d", ofd->owner_fd);
	} else {
		_cleanup_close_ int pidfd = pidref_open(ofd->owner->pid);

		if (pidfd < 0)
			return err_ret(err, pidfd, "pidfd_open task %d", ofd->owner->pid);
		fd = pidref_getfd(pidfd, ofd->owner_fd);
		if (fd < 0)
			return err_ret(err, fd, "pidfd_getfd descriptor %d of task %d",
				       ofd->owner_fd, ofd->owner->pid);
	}
	*ret_fd = fd;
	return 0;
}

static int compare_slot(const void *key, const void *slot)
{
	return *(const int *)key - ((const struct fd_slot *)slot)->fd;
}

/* Tables ascend by number. The plan only asks for numbers that are there. */
static const struct fd_slot *find_slot(const struct task *task, int fd)
{
	return bsearch(&fd, task->fdt->slots.v, task->fdt->slots.n, sizeof(struct fd_slot),
		       compare_slot);
}

int step_open(void *ctx, const struct step *step, struct err *err)
{
	struct actor *actor = ctx;
	const struct ofd *ofd = step->obj;
	const struct fd_slot *slot = find_slot(actor->task, ofd->owner_fd);
	int fd = -1;
	int ret = ofd->kind->open(&actor->opener, ofd, &fd, err);

	if (ret < 0)
		return ret;
	return install(fd, slot->fd, slot->cloexec, err);
}

int step_fetch(void *ctx, const struct step *step, struct err *err)
{
	struct actor *actor = ctx;
	const struct fd_slot *slot = step->obj;
	int fd = -1;
	int ret = actor_fetch_ofd(&actor->opener, slot->ofd, &fd, err);

	return ret < 0 ? ret : install(fd, slot->fd, slot->cloexec, err);
}

int step_take_locks(void *ctx, const struct step *step, struct err *err)
{
	struct actor *actor = ctx;

	return fd_take_locks(&actor->restore->snap, actor->task, err);
}

int step_finish_fd(void *ctx, const struct step *step, struct err *err)
{
	struct actor *actor = ctx;
	const struct ofd *ofd = step->obj;

	return ofd->kind->finish(&actor->opener, ofd, ofd->owner_fd, err);
}
