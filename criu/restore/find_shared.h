/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that parent and child share, in images that do not say so: those of criu, which has every
 * page once for each task, and of crib dump --compat criu.
 */
#ifndef CRIB_RESTORE_FIND_SHARED_H
#define CRIB_RESTORE_FIND_SHARED_H

#include <stdbool.h>

#include "base/err.h"
#include "model/snapshot.h"

/* False if the image says what is shared, or has no two tasks that could share anything. */
bool find_shared_is_needed(const struct snapshot *snap);

/*
 * Marks the pages of each task whose bytes are those of its parent at the same address, in memory
 * of the same kind, as shared with the task that has them: where one was a copy of the other they
 * are shared again, and where they are equal by chance nobody can tell. 0 or -errno.
 */
int find_shared(struct snapshot *snap, int images_fd, struct err *err);

#endif /* CRIB_RESTORE_FIND_SHARED_H */
