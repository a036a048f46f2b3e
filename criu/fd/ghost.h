/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files without a name. With no link left their contents travel in the image as a ghost; with a
 * link elsewhere --link-remap makes a name for the time between dump and restore.
 */
#ifndef CRIB_FD_GHOST_H
#define CRIB_FD_GHOST_H

#include <sys/stat.h>

#include "fd/fd_kind.h"
#include "fd/rootdir.h"

/* Dump: can @rec's deleted file be dumped with these options? 0 also for files with a name. */
int ghost_check(const struct fd_extract *x, const struct ofd *ofd, struct err *err);

/* Dump: makes ghost or link for @reg, whose file has no name; @fd may be O_PATH, borrowed. */
int ghost_extract(struct fd_extract *x, const RegFileEntry *reg, const struct stat *st, int fd,
		  struct err *err);

/*
 * Restore: opens the ghost or link that stands in for @reg. The caller owns the descriptor.
 * -ENOENT: @reg has none and is opened by its name; or another -errno, described.
 */
int ghost_open(struct fd_opener *opener, const RegFileEntry *reg, int flags, struct err *err);

/* Restore, coordinator: makes all ghosts below root; removes all names that stood in. */
int ghost_prepare(struct snapshot *snap, int images_fd, const struct rootdir *root, int service_fd,
		  struct err *err);
int ghost_cleanup(struct snapshot *snap, const struct rootdir *root, bool restored,
		  struct err *err);

#endif /* CRIB_FD_GHOST_H */
