/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kinds, and what they share among themselves during one dump.
 */
#ifndef CRIB_FD_KINDS_H
#define CRIB_FD_KINDS_H

#include "base/hashmap.h"
#include "fd/fd_kind.h"

/* One line each: see Documentation/HOWTO-add-an-fd-kind. */
extern const struct fd_kind fd_kind_epoll;
extern const struct fd_kind fd_kind_eventfd;
extern const struct fd_kind fd_kind_fifo;
extern const struct fd_kind fd_kind_memfd;
extern const struct fd_kind fd_kind_pipe;
extern const struct fd_kind fd_kind_reg;
extern const struct fd_kind fd_kind_signalfd;
extern const struct fd_kind fd_kind_timerfd;
extern const struct fd_kind fd_kind_tty;

/* Restore, coordinator: what pipes needed meanwhile. */
void pipe_cleanup(struct snapshot *snap);

/* fd_extract.priv */
struct fd_shared {
	struct hashmap
		paths; /* (hash of path and flags, dev ^ ino): struct ofd, fd_extract_path() */
	struct hashmap ghosts;  /* (dev, ino): struct stand_in of ghost.c */
	struct hashmap objects; /* (ofd type, inode number): of the kind: pipes, ttys .. */
	uint32_t next_ghost_id;
	bool pipes_known;    /* objects has all pipes of the tree */
	bool timers_settled; /* what was due when a timerfd was extracted has expired */
	int own_pipe[2];     /* crib's own, where others are copied to; -1: not made yet */
};

static inline struct fd_shared *fd_shared(const struct fd_extract *x)
{
	return x->priv;
}

/* True when the text is @literal, or begins with it. */
bool rec_path_is(const struct rec_fd *rec, const char *literal);
bool rec_path_has_prefix(const struct rec_fd *rec, const char *prefix);

/* Restore: finds the owners of descriptions that are set late, see fd_set_thread_owners(). */
void fown_adapt(struct snapshot *snap);

#endif /* CRIB_FD_KINDS_H */
