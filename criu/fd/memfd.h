/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memfds beyond their descriptors: mapped ones, those that are an exe link, and the files
 * themselves at restore.
 */
#ifndef CRIB_FD_MEMFD_H
#define CRIB_FD_MEMFD_H

#include "fd/fd_kind.h"

/* The file of a mapping, cwd, root or exe is a memfd. */
bool memfd_is_path(const struct rec_fd *rec);

/*
 * Dump: the file entry of such a one, into @ofd, whose id and type are set. @fd is not -1, and
 * borrowed. 0 or -errno.
 */
int memfd_extract_path(struct fd_extract *x, struct ofd *ofd, const struct rec_fd *rec, int fd,
		       struct err *err);

/* Restore: a new description of the memfd of @ofd. The caller owns *ret_fd. */
int memfd_open_path(const struct ofd *ofd, int flags, int *ret_fd, struct err *err);

/* Restore, coordinator: makes all memfds of the tree, at numbers from @service_fd on. */
int memfd_prepare(struct snapshot *snap, int images_fd, int service_fd, struct err *err);

/* Restore, coordinator, when all mappings stand: seals that would have forbidden them. */
int memfd_seal(const struct snapshot *snap, struct err *err);
void memfd_cleanup(struct snapshot *snap);

#endif /* CRIB_FD_MEMFD_H */
