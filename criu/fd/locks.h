/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File locks of the tree: flock(2), fcntl(2) by process and by description, and leases.
 */
#ifndef CRIB_FD_LOCKS_H
#define CRIB_FD_LOCKS_H

#include "fd/fd_kind.h"

/* Refuses an image that has locks if they are not wanted, or are none that can be taken. */
int locks_adapt(const struct snapshot *snap, const struct opts *opts, struct err *err);

#endif /* CRIB_FD_LOCKS_H */
