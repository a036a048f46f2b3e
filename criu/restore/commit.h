/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the coordinator needs to know of the commit.
 */
#ifndef CRIB_RESTORE_COMMIT_H
#define CRIB_RESTORE_COMMIT_H

#include "restore/context.h"

/* Threads of all living tasks: as many have to park before the commit. */
uint32_t commit_count_threads(const struct snapshot *snap);

/* Lets every task go. Cannot fail: who is gone meanwhile was killed by somebody else. */
void commit_resume(struct restore *restore);

#endif /* CRIB_RESTORE_COMMIT_H */
