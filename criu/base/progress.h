/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Progress of work that takes over a second, for a person at a terminal: one line on standard
 * error that is written over and removed in the end. Never into a pipe, a file or the log.
 */
#ifndef CRIB_BASE_PROGRESS_H
#define CRIB_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* What the worker says, in memory that the watcher sees. Zeroed: nothing yet. */
struct progress {
	const char *stage;    /* a string constant of this binary; NULL: nothing */
	uint64_t done, total; /* of the stage, in bytes; total 0: not known */
	int64_t deadline;     /* of the stage (base/apart.h); 0: it may take as long as it does */
};

/* The watcher's side. */
struct progress_line {
	int64_t start_ms;
	bool enabled; /* standard error is a terminal */
	bool shown;
};

void progress_line_init(struct progress_line *line);
/* Call it a few times a second: shows @progress once a second has passed. */
void progress_line_update(struct progress_line *line, const struct progress *progress);
void progress_line_end(struct progress_line *line);

#endif /* CRIB_BASE_PROGRESS_H */
