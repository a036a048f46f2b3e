/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A footprint is all that /proc tells about a tree, as text, without what may differ between a tree
 * and its restored self (inode numbers, names of deleted files, running or sleeping). Equal
 * footprints say that nothing was lost and that nothing was left: no tracer, mapping, descriptor.
 */
#ifndef CRIB_ZDTM_RUNNER_FOOTPRINT_H
#define CRIB_ZDTM_RUNNER_FOOTPRINT_H

#include <stdio.h>

#include "opts.h"
#include "tree.h"

/*
 * The footprint of all tasks of @tree, one `PID KEY: VALUE` per line, to be freed. Keys that the
 * test calls varying are left out; "all" leaves only those of a tracer and of the tasks' state.
 */
char *footprint_take(const struct tree *tree, const struct test_opts *opts);

/* Prints lines of @before that are not in @after and the other way round; returns their number. */
size_t footprint_diff(FILE *out, const char *before, const char *after);

#endif
