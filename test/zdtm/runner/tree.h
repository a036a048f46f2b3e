/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which tasks there are, from /proc: the tree below a task, and the end of it.
 */
#ifndef CRIB_ZDTM_RUNNER_TREE_H
#define CRIB_ZDTM_RUNNER_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { TREE_MAX = 4096 };

struct tree {
	pid_t pids[TREE_MAX]; /* parents before their children, siblings by number */
	size_t n;
};

/* Fields of /proc/PID/stat by the numbers of proc(5); field[1] and [2] are not set. */
struct stat_fields {
	char text[1024];
	const char *field[53];
};

/* Reads @path, a stat file of a process or thread; false when it is gone. */
bool stat_read(struct stat_fields *stat, const char *path);

/* The process @top, if it exists, and all that descend from it. */
void tree_list(struct tree *tree, pid_t top);

bool tree_has(const struct tree *tree, pid_t pid);

/* Kills and reaps all descendants of the calling process; false when some do not go. */
bool tree_kill_mine(void);

#endif
