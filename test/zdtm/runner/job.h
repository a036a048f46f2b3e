/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Starts a program, test or crib, the way a test wants it: alone in its own session or on a
 * terminal, and waits for its end.
 */
#ifndef CRIB_ZDTM_RUNNER_JOB_H
#define CRIB_ZDTM_RUNNER_JOB_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "opts.h"

struct program {
	char *const *argv;
	const char *dir; /* its working directory, or NULL for the runner's */
	const char *out; /* file for its output, or NULL for /dev/null; unused on a terminal */
	enum start start;
};

struct job {
	pid_t pid;
	pid_t leader; /* START_JOB: the session leader, which waits for it and stays; else 0 */
	int master;   /* of its terminal, or -1 */
	int report;   /* START_JOB: the pipe on which the leader tells, or -1 */
};

/* Dies when the program cannot be started. */
void job_start(struct job *job, const struct program *program);

/*
 * Whether the program has ended, with its wait status in @ret_status. What it wrote to its terminal
 * goes to @terminal, unless that is NULL.
 */
bool job_ended(struct job *job, int *ret_status, FILE *terminal);

/* Closes the terminal and ends its session leader. The program itself is left alone. */
void job_fini(struct job *job);

#endif
