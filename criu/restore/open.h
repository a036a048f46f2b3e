/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptions that have been opened by one actor, for another.
 */
#ifndef CRIB_RESTORE_OPEN_H
#define CRIB_RESTORE_OPEN_H

#include "fd/fd_kind.h"

/* What actors hand to kinds as fd_opener.fetch. */
int actor_fetch_ofd(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err);

#endif /* CRIB_RESTORE_OPEN_H */
