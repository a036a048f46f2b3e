/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests that kill crib share: one target, one folder for each run, and the words of a failure.
 */
#ifndef CRIB_SAFETY_DUEL_H
#define CRIB_SAFETY_DUEL_H

#include "watch/shot.h"
#include "watch/watch.h"

struct duel {
	const char *crib, *program; /* crib and the target's program */
	char dir[PATH_MAX];         /* of all that follows */
	char images[PATH_MAX], work[PATH_MAX], target_dir[PATH_MAX];
	struct target target;
	bool has_target;
	uint64_t seed;
	unsigned int passed, failed, skipped;
};

/* From the environment: CRIB, SAFETY_SEED. argv: the folder of the built programs. */
void duel_begin(struct duel *duel, int argc, char **argv);
/* Kills what is left, prints the totals and returns the exit status. */
int duel_end(struct duel *duel);

/* A fresh target that works, and its footprint. */
bool duel_start_target(struct duel *duel, const char *const *parts, char why[WATCH_WHY]);
/* Ends the target and removes what it had. */
void duel_end_target(struct duel *duel);

/* The target works, is as it was, and there is no process too many. */
bool duel_target_whole(struct duel *duel, char why[WATCH_WHY]);
/* No task of it is there, nor any other process. */
bool duel_target_gone(struct duel *duel, char why[WATCH_WHY]);

/* An empty images directory. */
void duel_empty_images(struct duel *duel);

/* Restores the images, and the target is as it was. */
bool duel_restore(struct duel *duel, char why[WATCH_WHY]);

#endif
