/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors that the user gives in place of what the image has: --inherit-fd fd[N]:RESOURCE.
 */
#ifndef CRIB_FD_INHERIT_H
#define CRIB_FD_INHERIT_H

#include "fd/fd_kind.h"

/* Finds the descriptions that the options name: sets ofd->inherited_fd. 0 or -errno. */
int inherit_adapt(struct snapshot *snap, const struct opts *opts, struct err *err);

/* Coordinator: puts duplicates to where actors keep them, from @service_fd on; lets them go. */
int inherit_prepare(struct snapshot *snap, int service_fd, struct err *err);
void inherit_cleanup(struct snapshot *snap);

#endif /* CRIB_FD_INHERIT_H */
