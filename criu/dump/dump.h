/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dump: a running process tree becomes an image directory, and is killed, stopped or goes on.
 */
#ifndef CRIB_DUMP_DUMP_H
#define CRIB_DUMP_DUMP_H

#include "base/err.h"
#include "cli/opts.h"
#include "dump/build.h"

/* The whole of "crib dump". 0 or -errno; after a failure the tree runs as before. */
int dump_tree(const struct opts *opts, struct err *err);

/*
 * What a dump of this tree would hold, without page contents: for "crib inspect -t". The tree is
 * stopped meanwhile. @show gets the snapshot and what could not be dumped.
 */
typedef int dump_show_fn(const struct snapshot *snap, const struct complaints *complaints,
			 void *ctx, struct err *err);
int dump_inspect(const struct opts *opts, dump_show_fn *show, void *ctx, struct err *err);

#endif /* CRIB_DUMP_DUMP_H */
