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

#include "fd/fd_kind.h"

/* Of the kernel's fcntl.h, which does not go with libc's. CONFIG_CHECKPOINT_RESTORE. */
#ifndef F_GETOWNER_UIDS
#define F_GETOWNER_UIDS 17
#endif

#ifdef SYS_setresuid32
#define SETRESUID SYS_setresuid32
#else
#define SETRESUID SYS_setresuid
#endif

FownEntry *fd_fown_extract(struct snapshot *snap, int fd)
{
	FownEntry *fown = SNAP_MSG(snap, FownEntry, fown_entry);
	struct f_owner_ex owner = { 0 };
	int signum = fd >= 0 ? fcntl(fd, F_GETSIG) : 0;
	uint32_t uids[2];

	fown->signum = signum > 0 ? (uint32_t)signum : 0;
	if (fd < 0 || fcntl(fd, F_GETOWN_EX, &owner) || !owner.pid)
		return fown;
	/* the image has the kernel's enum pid_type: PID, TGID, PGID */
	static const uint32_t pid_type[] = {
		[F_OWNER_TID] = 0, [F_OWNER_PID] = 1, [F_OWNER_PGRP] = 2
	};
	fown->pid_type = pid_type[owner.type];
	fown->pid = (uint32_t)owner.pid;
	if (!fcntl(fd, F_GETOWNER_UIDS, uids)) {
		fown->uid = uids[0];
		fown->euid = uids[1];
	}
	return fown;
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
	return WEXITSTATUS(status) ? err_ret(err, -WEXITSTATUS(status), "F_SETOWN_EX %d as user %u",
					     owner->pid, fown->euid) :
				     0;
}

int fd_fown_apply(const FownEntry *fown, int fd, struct err *err)
{
	static const int owner_type[] = { F_OWNER_TID, F_OWNER_PID, F_OWNER_PGRP };
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
	return fcntl(fd, F_SETOWN_EX, &owner) ? err_sys(err, "F_SETOWN_EX %d", owner.pid) : 0;
}
