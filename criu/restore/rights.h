/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What crib has to be allowed to restore a tree, known before anything happens.
 */
#ifndef CRIB_RESTORE_RIGHTS_H
#define CRIB_RESTORE_RIGHTS_H

#include "base/err.h"
#include "model/snapshot.h"

/* 0, or -EPERM with words that name what is missing. */
int rights_check(const struct snapshot *snap, struct err *err);

#endif /* CRIB_RESTORE_RIGHTS_H */
