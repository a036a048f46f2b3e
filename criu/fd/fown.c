// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owners of descriptions: who gets SIGIO, which signal it is in its place, and with whose rights it
 * is sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fd/kinds.h"
#include "fd/reopen.h"

/* Of the kernel's fcntl.h, which does not go with libc's. CONFIG_CHECKPOINT_RESTORE. */
#ifndef F_GETOWNER_UIDS
#define F_GETOWNER_UIDS 17
#endif

#ifdef SYS_setresuid32
#define SETRESUID SYS_setresuid32
#else
#define SETRESUID SYS_setresuid
#endif

/* fown_entry.pid_type: the kernel's enum pid_type. */
enum { FOWN_TID, FOWN_PID, FOWN_PGRP };

FownEntry *fd_fown_extract(struct snapshot *snap, int fd)
{
	FownEntry *fown = SNAP_MSG(snap, FownEntry, fown_entry);
	struct f_owner_ex owner = { 0 };
	int signum = fd >= 0 ? fcntl(fd, F_GETSIG) : 0;
	uint32_t uids[2];

	fown->signum = signum > 0 ? (uint32_t)signum : 0;
	if (fd < 0 || fcntl(fd, F_GETOWN_EX, &owner) || !owner.pid)
		return fown;
	static const uint32_t pid_type[] = {
		[F_OWNER_TID] = FOWN_TID, [F_OWNER_PID] = FOWN_PID, [F_OWNER_PGRP] = FOWN_PGRP
	};
	fown->pid_type = pid_type[owner.type];
	fown->pid = (uint32_t)owner.pid;
	if (!fcntl(fd, F_GETOWNER_UIDS, uids)) {
		fown->uid = uids[0];
		fown->euid = uids[1];
	}
	return fown;
}

static int describe_failure(const struct f_owner_ex *owner, int failed, struct err *err)
{
	const char *what = owner->type == F_OWNER_PGRP ? "group" :
			   owner->type == F_OWNER_TID  ? "thread" :
							 "process";

	if (failed != ESRCH)
		return err_ret(err, -failed, "F_SETOWN_EX to %s %d", what, owner->pid);
	return err_set(err, -ESRCH,
		       "F_SETOWN_EX: the %s %d that got the signals of it was outside of the tree "
		       "and is gone; dump it with the tree, or restore it first",
		       what, owner->pid);
}

/*
 * The kernel notes the user who sets an owner. A process of its own becomes that user, as this one
 * may not be able to come back; no signal tells of its end, which the restored task would get.
 */
static int set_as_user(const FownEntry *fown, int fd, const struct f_owner_ex *owner,
		       struct err *err)
{
	const struct clone_args args = { 0 };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	int status;

	if (pid == 0) {
		if (syscall(SETRESUID, fown->uid, fown->euid, -1) || fcntl(fd, F_SETOWN_EX, owner))
			_exit(errno);
		_exit(0);
	}
	if (pid < 0)
		return err_sys(err, "fork");
	if (waitpid(pid, &status, __WALL) < 0)
		return err_sys(err, "wait for process %d", pid);
	if (!WIFEXITED(status))
		return err_set(err, -ECHILD, "process %d died while it set an owner", pid);
	return WEXITSTATUS(status) ?
		       err_wrap(err, describe_failure(owner, WEXITSTATUS(status), err),
				"as user %u", fown->euid) :
		       0;
}

int fd_fown_apply(const FownEntry *fown, int fd, struct err *err)
{
	static const int owner_type[] = {
		[FOWN_TID] = F_OWNER_TID, [FOWN_PID] = F_OWNER_PID, [FOWN_PGRP] = F_OWNER_PGRP
	};
	struct f_owner_ex owner = { .pid = (pid_t)fown->pid };

	if (fown->signum && fcntl(fd, F_SETSIG, (int)fown->signum))
		return err_sys(err, "F_SETSIG %u", fown->signum);
	if (!fown->pid)
		return 0;
	if (fown->pid_type >= ARRAY_SIZE(owner_type))
		return err_set(err, -EBADMSG, "owner of unknown type %u", fown->pid_type);
	owner.type = owner_type[fown->pid_type];
	if (fown->uid != getuid() || fown->euid != geteuid())
		return set_as_user(fown, fd, &owner, err);
	return fcntl(fd, F_SETOWN_EX, &owner) ? describe_failure(&owner, errno, err) : 0;
}

/* ---- Single threads ---- */

/* Where the image has the owner of a description that can be restored. NULL: it has none. */
static FownEntry *owner_of(const struct snapshot *snap, const struct ofd *ofd)
{
	const FileEntry *entry = ofd->entry;
	const struct ofd *file = entry->fifo && entry->fifo->has_regf_id ?
					 snapshot_find_file(snap, entry->fifo->regf_id) :
					 ofd;

	if (file && file->entry->reg)
		return file->entry->reg->fown;
	return entry->pipe  ? entry->pipe->fown :
	       entry->tty   ? entry->tty->fown :
	       entry->efd   ? entry->efd->fown :
	       entry->epfd  ? entry->epfd->fown :
	       entry->sgfd  ? entry->sgfd->fown :
	       entry->tfd   ? entry->tfd->fown :
	       entry->memfd ? entry->memfd->fown :
			      NULL;
}

/* A thread of the tree that is made by the restore program, and not there before. */
static bool is_late_thread(const struct snapshot *snap, uint32_t tid)
{
	for (size_t t = 0; t < snap->tasks.n; t++) {
		const struct task *task = snap->tasks.v[t];

		for (size_t i = 1; i < task->threads.n; i++)
			if (task->threads.v[i].tid == (pid_t)tid)
				return true;
	}
	return false;
}

void fown_adapt(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->files.n; i++) {
		const struct ofd *ofd = snap->files.v[i];
		FownEntry *fown = ofd->owner ? owner_of(snap, ofd) : NULL;

		if (!fown || !fown->pid || fown->pid_type != FOWN_TID ||
		    !is_late_thread(snap, fown->pid))
			continue;
		*array_push(&snap->arena, &snap->thread_owners) =
			(struct thread_owner){ .ofd = ofd, .fown = *fown };
		fown->pid = 0;
	}
}

int fd_set_thread_owners(const struct snapshot *snap, struct err *err)
{
	array_each(const struct thread_owner, owner, &snap->thread_owners) {
		const struct task *task = owner->ofd->owner;
		int number = owner->ofd->owner_fd;
		_cleanup_close_ int fd = fd_of_task(task, number, err);

		if (fd < 0)
			return fd;
		int ret = fd_fown_apply(&owner->fown, fd, err);
		if (ret < 0)
			return err_wrap(err, ret, "task %d: descriptor %d", task->pid, number);
	}
	return 0;
}
