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

enum { KEEPER_NAMES = 64 * 1024 };

/* What the starter has to remove when the keeper is killed. */
struct keeper_remains {
	int image; /* 1: the image has its names and nobody has agreed to it */
	char names[KEEPER_NAMES];
};

struct keeper {
	int lifeline; /* end of file when the starter is gone */
	/*
	 * What the starter shows. A keeper that is not done at progress->deadline is killed, so there
	 * must be none while the target is in a state that the kernel alone would not undo.
	 */
	struct progress *progress;
	struct keeper_remains *remains; /* that the starter sees; zeroed */
	struct outcome *outcome;
};

typedef int keeper_fn(struct keeper *keeper, void *ctx, struct err *err);

struct keeper_job {
	keeper_fn *work;
	void *ctx;
	/*
	 * In a process of the starter, when the keeper has died with the work undone: removes what is
	 * left of it, but not for long. NULL: nothing is.
	 */
	void (*clean_up)(void *ctx, const struct keeper_remains *remains);
};

/*
 * Runs job->work in a keeper and waits for it. What that changes in memory is lost, but its result
 * and description. 0 or -errno; -ETIMEDOUT when its deadline had come. With 0 and a description it
 * was settled, and did not end in time.
 */
int keeper_run(const struct keeper_job *job, struct err *err);

/* In the keeper: the result is known, and does not change whatever becomes of what is left to do. */
void keeper_settle(struct keeper *keeper, int ret);

/* In the keeper, between two stages: -ECANCELED when whoever wanted the dump is gone, else 0. */
int keeper_check(const struct keeper *keeper, struct err *err);

#endif /* CRIB_DUMP_KEEPER_H */
