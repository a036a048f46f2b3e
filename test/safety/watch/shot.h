/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running crib and killing it at a chosen instant.
 */
#ifndef CRIB_SAFETY_SHOT_H
#define CRIB_SAFETY_SHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "watch/watch.h"

enum {
	NEVER = 0,
	PID_PATIENCE = 20, /* tries while shot_met_pid() */
};

struct shot {
	char out[PATH_MAX]; /* file for what it says */
	uint64_t after_us;  /* when to kill it, NEVER: it may end */
	bool sibling;       /* restore: as a child of the caller */
	bool group;         /* the whole process group, not the process alone */
	/* results */
	bool killed; /* it had not ended by itself */
	int status;  /* wait status, -1: it had to be killed because it did not end */
	uint64_t took_us;
};

/* Runs the program argv[0]. */
void shot_run(struct shot *shot, char *const *argv);

/* It ended by itself, because somebody else on this machine has a pid of the target for a while. */
bool shot_met_pid(const struct shot *shot);

/* The exit status is 0. */
bool shot_is_fine(const struct shot *shot);

/* Says in @why what crib said. */
void shot_explain(const struct shot *shot, const char *what, char why[WATCH_WHY]);

/* Uniform numbers below @limit from a seed, the same in every run. */
uint64_t random_below(uint64_t *seed, uint64_t limit);

/* The number in the environment variable @name, or @fallback. */
unsigned int environment_number(const char *name, unsigned int fallback);

uint64_t clock_us(void);

#endif
