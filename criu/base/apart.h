/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Work that may never end, as on a file system that does not answer, done apart: by a process with
 * the caller's memory and descriptors, which can be given up.
 */
#ifndef CRIB_BASE_APART_H
#define CRIB_BASE_APART_H

#include <stdint.h>

#define APART_NO_DEADLINE INT64_MAX

/* Milliseconds of CLOCK_MONOTONIC, as deadlines have them. */
int64_t apart_now(void);

enum apart_end {
	APART_DONE,   /* it has returned */
	APART_KILLED, /* somebody has killed its process */
	APART_LATE,   /* it had not ended at the deadline: it was killed and may end later */
	APART_FAILED, /* there is no process for it: errno says why */
};

typedef int apart_fn(void *arg);

/*
 * Runs @run(@arg) in another process and waits for it until @deadline. What it has returned goes to
 * *ret_value if it is done. The process has the caller's errno, too, and a pid, signals and a process group of its
 * own. After APART_LATE nothing may be released that it can still use, until it is gone.
 */
enum apart_end apart_run(apart_fn *run, void *arg, int64_t deadline, int *ret_value);

#endif /* CRIB_BASE_APART_H */
