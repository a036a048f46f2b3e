/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The keeper: the process that does a dump. It is a child of the crib that the user started, in a
 * session and process group of its own. When that crib dies, by SIGKILL or with its terminal, the
 * keeper undoes what it did and lets the target go: a traced task whose registers are changed for
 * the moment of a system call must not lose its tracer.
 */
#ifndef CRIB_DUMP_KEEPER_H
#define CRIB_DUMP_KEEPER_H

#include "base/err.h"
#include "base/progress.h"

struct keeper {
	int lifeline;              /* end of file when the starter is gone */
	struct progress *progress; /* what the starter shows */
};

typedef int keeper_fn(struct keeper *keeper, void *ctx, struct err *err);

/*
 * Runs @work in a keeper and waits for it. What @work changes in memory is lost, but its result and
 * description. 0 or -errno.
 */
int keeper_run(keeper_fn *work, void *ctx, struct err *err);

/* In the keeper, between two stages: -ECANCELED when whoever wanted the dump is gone, else 0. */
int keeper_check(const struct keeper *keeper, struct err *err);

#endif /* CRIB_DUMP_KEEPER_H */
