/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Freezing: every thread of a process tree is stopped with ptrace, and let go again. A tracer that
 * dies leaves all of them running, which is the kernel's promise and the reason for ptrace here.
 */
#ifndef CRIB_TARGET_FREEZE_H
#define CRIB_TARGET_FREEZE_H

#include <compel/compel.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/err.h"

struct frozen_thread {
	pid_t tid;
	bool stands;      /* in an event-stop or group-stop; so do all once freeze_tree() is done */
	bool dying;       /* found dead when it was let go */
	int64_t slept_ns; /* how long it had not run when it was stopped, -1: not known */
};

struct frozen_task {
	pid_t pid, ppid; /* in crib's pid namespace */
	int pidfd;       /* owned by the tree */
	/* the leader first, the others ascending; a zombie has its leader alone, not seized */
	ARRAY(struct frozen_thread) threads;
	bool zombie;
	int stop_signo; /* of the group-stop it was in (SIGSTOP, SIGTSTP ..), 0: it was running */
};

struct frozen_tree {
	struct arena arena;
	ARRAY(struct frozen_task *) tasks; /* parents before children; [0] is the root */
};

/* The PTRACE_O_ bits of every seized thread, for compel_prepare(). */
#define FREEZE_PTRACE_OPTIONS COMPEL_SEIZE_OPTIONS

struct freeze_opts {
	int64_t deadline; /* when to give up, of compel_deadline(); 0: after ten seconds */
	bool note_sleep;  /* fill slept_ns, from /proc/PID/task/TID/sched */
};

/*
 * Stops every thread of @root and of all its descendants, those that appear meanwhile included.
 * Zombies are noted. @tree is written anew; end it with thaw_tree(), in the same thread.
 *
 * 0; -ESRCH: no such process, or a zombie; -EINVAL: a kernel thread; -EBUSY: somebody else traces
 * one of them, and is named; -EPERM; -ENOTSUP: a process whose main thread has exited alone;
 * -ETIMEDOUT: a thread did not stop in time, with the reason, such as a vfork()ed child that
 * neither runs a program nor exits. After a failure everything runs again as before and @tree is
 * empty; only a thread that sleeps in the kernel stays seized until the calling thread exits.
 */
int freeze_tree(struct frozen_tree *tree, pid_t root, const struct freeze_opts *opts,
		struct err *err) __warn_unused;

enum thaw_how {
	THAW_RUN,  /* as before: what was in a group-stop stays in it */
	THAW_STOP, /* all stopped as by SIGSTOP, until somebody sends SIGCONT */
	THAW_KILL, /* killed; no task runs an instruction of its own in between */
};

/*
 * Whether thaw_tree() will be permitted to do so. 0; -EPERM: signals to some task are not allowed,
 * and this kernel has no other way.
 */
int freeze_check_end(const struct frozen_tree *tree, enum thaw_how how,
		     struct err *err) __warn_unused;

/*
 * Detaches from every thread, or kills them all and waits until each has exited. Frees what @tree
 * holds. May be called on a half-frozen, an empty or an all-zero tree. Goes on after a failure, so
 * that as much as possible is let go; 0 or the first failure.
 */
int thaw_tree(struct frozen_tree *tree, enum thaw_how how, struct err *err);

#endif /* CRIB_TARGET_FREEZE_H */
