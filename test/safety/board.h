/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The board: a file that all of a target's processes have mapped. Each of its workers counts there
 * what it has done, and the first that finds something wrong says what.
 */
#ifndef CRIB_SAFETY_BOARD_H
#define CRIB_SAFETY_BOARD_H

#include <stdint.h>

#define BOARD_NAME "board" /* in the target's directory */

enum { BOARD_WORKERS = 64, BOARD_TASKS = 32, BOARD_WHY = 400 };

struct board_worker {
	char name[32];  /* with a hyphen in front: it is not asked to go on beating */
	uint64_t beats; /* grows as long as the worker works and finds all as it should be */
};

struct board {
	uint32_t ready;  /* 1: every part of the target works */
	uint32_t failed; /* 1: why is being written, 2: it is written */
	char why[BOARD_WHY];
	uint32_t nr_workers;
	uint32_t nr_tasks;
	int32_t tasks[BOARD_TASKS]; /* that stay as long as the target does; [0] is the root */
	struct board_worker workers[BOARD_WORKERS];
};

#endif
