/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work of the coordinator that may have to wait for a file system, and that --timeout ends then.
 */
#ifndef CRIB_RESTORE_PATIENCE_H
#define CRIB_RESTORE_PATIENCE_H

#include "restore/context.h"

typedef int patience_fn(struct restore *restore, struct err *err);

/*
 * Runs @run, which does @what ("reading the images"), until restore->deadline at most. What it
 * returns; -ETIMEDOUT: it was given up, and what it may still use must not be touched.
 */
int patience_run(struct restore *restore, patience_fn *run, const char *what, struct err *err);

/* The same, by another process (base/apart.h) also when there is no limit. */
int patience_run_apart(struct restore *restore, patience_fn *run, const char *what,
		       struct err *err);

#endif /* CRIB_RESTORE_PATIENCE_H */
