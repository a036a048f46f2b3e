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
	&fd_kind_tty,     &fd_kind_pipe,     &fd_kind_fifo,  &fd_kind_eventfd, &fd_kind_epoll,
	&fd_kind_timerfd, &fd_kind_signalfd, &fd_kind_memfd, &fd_kind_reg,
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

int fd_restore_adapt(struct snapshot *snap, const struct opts *opts, struct err *err)
{
	int ret = inherit_adapt(snap, opts, err);

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && ret == 0; i++)
		if (kinds[i]->adapt)
			ret = kinds[i]->adapt(snap, opts, err);
	fown_adapt(snap);
	return ret == 0 ? locks_adapt(snap, opts, err) : ret;
}

int fd_restore_prepare(struct snapshot *snap, const struct opts *opts, int images_fd, int root_fd,
		       int service_fd, struct err *err)
{
	const struct rootdir root = rootdir_of(opts, root_fd);
	int ret = inherit_prepare(snap, service_fd, err);

	if (ret == 0)
		ret = tty_prepare(snap, service_fd, err);
	if (ret == 0)
		ret = memfd_prepare(snap, images_fd, service_fd, err);
	return ret == 0 ? ghost_prepare(snap, images_fd, &root, service_fd, err) : ret;
}

int fd_restore_seal(const struct snapshot *snap, struct err *err)
{
	return memfd_seal(snap, err);
}

int fd_restore_cleanup(struct snapshot *snap, const struct opts *opts, int root_fd, bool restored,
		       struct err *err)
{
	const struct rootdir root = rootdir_of(opts, root_fd);

	inherit_cleanup(snap);
	pipe_cleanup(snap);
	tty_cleanup(snap);
	memfd_cleanup(snap);
	return ghost_cleanup(snap, &root, restored, err);
}
