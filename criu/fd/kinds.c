// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of descriptor kinds and what they have in common.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/cleanup.h"
#include "fd/ghost.h"
#include "fd/inherit.h"
#include "fd/kinds.h"
#include "fd/locks.h"
#include "fd/memfd.h"
#include "fd/tty.h"

/* The first that matches takes a description; regular files take what has a path. */
static const struct fd_kind *const kinds[] = {
	&fd_kind_tty,	  &fd_kind_pipe,     &fd_kind_fifo,    &fd_kind_eventfd, &fd_kind_epoll,
	&fd_kind_timerfd, &fd_kind_signalfd, &fd_kind_memfd,   &fd_kind_reg,
};

const struct fd_kind *fd_kind_of_record(const struct rec_fd *rec)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i]->match(rec))
			return kinds[i];
	return NULL;
}

const struct fd_kind *fd_kind_of_type(FdTypes type)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i]->type == type)
			return kinds[i];
	return NULL;
}

bool rec_path_is(const struct rec_fd *rec, const char *literal)
{
	return rec->path_len == strlen(literal) && !memcmp(rec->path, literal, rec->path_len);
}

bool rec_path_has_prefix(const struct rec_fd *rec, const char *prefix)
{
	size_t len = strlen(prefix);

	return rec->path_len >= len && !memcmp(rec->path, prefix, len);
}

int fd_extract_begin(struct fd_extract *x, struct err *err)
{
	struct fd_shared *shared = ARENA_NEW(&x->snap->arena, struct fd_shared);

	shared->next_ghost_id = 1;
	shared->own_pipe[0] = shared->own_pipe[1] = -1;
	x->priv = shared;
	return 0;
}

int fd_extract_end(struct fd_extract *x, struct err *err)
{
	struct fd_shared *shared = fd_shared(x);

	if (!shared)
		return 0;
	cleanup_close(&shared->own_pipe[0]);
	cleanup_close(&shared->own_pipe[1]);
	hashmap_fini(&shared->paths);
	hashmap_fini(&shared->ghosts);
	hashmap_fini(&shared->objects);
	x->priv = NULL;
	return 0;
}

FownEntry *fd_fown_extract(struct snapshot *snap, int fd)
{
	FownEntry *fown = SNAP_MSG(snap, FownEntry, fown_entry);
	struct f_owner_ex owner = { 0 };
	int signum = fd >= 0 ? fcntl(fd, F_GETSIG) : 0;

	fown->signum = signum > 0 ? (uint32_t)signum : 0;
	if (fd < 0 || fcntl(fd, F_GETOWN_EX, &owner) || !owner.pid)
		return fown;
	/* the image has the kernel's enum pid_type: PID, TGID, PGID */
	static const uint32_t pid_type[] = { [F_OWNER_TID] = 0, [F_OWNER_PID] = 1,
					     [F_OWNER_PGRP] = 2 };
	fown->pid_type = pid_type[owner.type];
	fown->pid = (uint32_t)owner.pid;
	return fown;
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
	return fcntl(fd, F_SETOWN_EX, &owner) ? err_sys(err, "F_SETOWN_EX %d", owner.pid) : 0;
}

int fd_restore_adapt(struct snapshot *snap, const struct opts *opts, struct err *err)
{
	int ret = inherit_adapt(snap, opts, err);

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && ret == 0; i++)
		if (kinds[i]->adapt)
			ret = kinds[i]->adapt(snap, opts, err);
	return ret == 0 ? locks_adapt(snap, opts, err) : ret;
}

int fd_restore_prepare(struct snapshot *snap, const struct opts *opts, int images_fd, int root_fd,
		       int service_fd, struct err *err)
{
	int ret = inherit_prepare(snap, service_fd, err);

	if (ret == 0)
		ret = tty_prepare(snap, service_fd, err);
	if (ret == 0)
		ret = memfd_prepare(snap, images_fd, service_fd, err);
	return ret == 0 ? ghost_prepare(snap, images_fd, root_fd, err) : ret;
}

int fd_restore_seal(const struct snapshot *snap, struct err *err)
{
	return memfd_seal(snap, err);
}

int fd_restore_cleanup(struct snapshot *snap, const struct opts *opts, int root_fd, bool restored,
		       struct err *err)
{
	inherit_cleanup(snap);
	pipe_cleanup(snap);
	tty_cleanup(snap);
	memfd_cleanup(snap);
	return ghost_cleanup(snap, root_fd, restored, err);
}
