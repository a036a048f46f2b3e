/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What it takes to restore a tree: system calls that are there and capabilities. Known before
 * anything happens, it is said in place of the first failure that the lack of it would lead to.
 */
#ifndef CRIB_RESTORE_RIGHTS_H
#define CRIB_RESTORE_RIGHTS_H

#include <stdbool.h>

#include "base/err.h"
#include "model/snapshot.h"

/* 0; -EPERM or -ENOSYS with words that name what is missing. */
int rights_check(const struct snapshot *snap, struct err *err);

/* Has crib all capabilities that there are? */
bool rights_are_whole(void);

#endif /* CRIB_RESTORE_RIGHTS_H */
