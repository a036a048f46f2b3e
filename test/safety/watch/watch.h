/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking at a target from outside: does it work, is it as it was, and is there a process that
 * should not be. The watcher is a subreaper, so whatever crib leaves becomes its child.
 */
#ifndef CRIB_SAFETY_WATCH_H
#define CRIB_SAFETY_WATCH_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "board.h"

enum { WATCH_WHY = 2000 };

struct target {
	char dir[PATH_MAX];
	const struct board *board; /* mapped */
	char *footprint;           /* as it was when it was taken; NULL: not yet */
};

/* Maps the board of the target in @dir; false when there is none. */
bool target_open(struct target *target, const char *dir);
void target_close(struct target *target);

/* Starts @program in @dir with @parts, a NULL-terminated list, in a session of its own. */
pid_t target_start(const char *program, const char *dir, const char *const *parts);

/*
 * All return true when it is so within some seconds; else @why says what is not so.
 * ready: every part works. works: every worker has done something since the call, and none has
 * found anything wrong. same: as its footprint says. gone: no task of it is there, not even a
 * zombie.
 */
bool target_ready(const struct target *target, char why[WATCH_WHY]);
bool target_works(const struct target *target, char why[WATCH_WHY]);
bool target_same(const struct target *target, char why[WATCH_WHY]);
bool target_gone(const struct target *target, char why[WATCH_WHY]);

/* Of all its tasks, to be freed. */
char *target_footprint(const struct target *target);

/* Whether the root task is there and no zombie. */
bool target_lives(const struct target *target);
/* Kills every task, and waits. */
void target_kill(const struct target *target);

/*
 * No process descends from @top but @top itself, what descends from @except (0: nobody), and the
 * target's tree (NULL: none).
 */
bool no_strays(pid_t top, pid_t except, const struct target *target, char why[WATCH_WHY]);

/* Makes the caller a subreaper with a mount namespace of its own, if it may have one. */
void watch_begin(void);
/* Reaps every child that has ended; true, with its wait status, when @pid was among them. */
bool reap(pid_t pid, int *ret_status);

#endif
