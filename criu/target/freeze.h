/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Freezing: every thread of a process tree is stopped with ptrace, and let go again. A tracer that
 * dies leaves all of them running, which is the kernel's promise and the reason for ptrace here.
 */
#ifndef CRIB_TARGET_FREEZE_H
#define CRIB_TARGET_FREEZE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/err.h"

/* A thread that is seized and has stopped, outside of any signal delivery. */
struct frozen_thread {
	pid_t tid;
};

struct frozen_task {
	pid_t pid, ppid; /* in crib's pid namespace */
	int pidfd;	 /* owned by the tree */
	ARRAY(struct frozen_thread) threads; /* the leader first, ascending after it; a zombie's
					      * is its leader alone, and not seized */
	bool zombie;
	int stop_signo; /* of the group-stop it was in (SIGSTOP, SIGTSTP ..), 0: it was running */
	void *priv;	/* of freeze.c */
};

struct frozen_tree {
	struct arena arena;
	ARRAY(struct frozen_task *) tasks; /* parents before children; [0] is the root */
};

struct freeze_opts {
	int64_t deadline_ns; /* CLOCK_MONOTONIC when to give up; 0: after ten seconds */
};

/*
 * Stops every thread of @root and of all its descendants, those that appear meanwhile included.
 * Zombies are noted. @tree is written anew; end it with thaw_tree().
 * 0; -ESRCH: no such process; -EINVAL: a kernel thread; -EBUSY: one of them is traced by somebody
 * else, who is named; -EPERM; -ETIMEDOUT: a task did not stop in time, with the reason. After a
 * failure everything runs again as before and @tree is empty.
 */
int freeze_tree(struct frozen_tree *tree, pid_t root, const struct freeze_opts *opts,
		struct err *err) __warn_unused;

enum thaw_how {
	THAW_RUN,  /* as before: what was in a group-stop stays in it */
	THAW_STOP, /* all stopped as by SIGSTOP, until somebody sends SIGCONT */
	THAW_KILL, /* killed; no task runs an instruction of its own in between */
};

/*
 * Detaches from every thread, or kills them all and waits until each has exited. Frees what @tree
 * holds. May be called on a half-frozen, an empty or an all-zero tree. Goes on after a failure, so
 * that as much as possible is let go; 0 or the first failure.
 */
int thaw_tree(struct frozen_tree *tree, enum thaw_how how, struct err *err);

#endif /* CRIB_TARGET_FREEZE_H */
