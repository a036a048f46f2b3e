/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long a thread has been asleep, from when the scheduler had it last. Good to some
 * milliseconds: for time-outs, where nothing better can be had.
 */
#ifndef CRIB_TARGET_SCHEDCLOCK_H
#define CRIB_TARGET_SCHEDCLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SCHEDCLOCK_CPUS = 1024 };

/* The scheduler's clocks, one a processor, run as CLOCK_MONOTONIC does but from other zeroes. */
struct schedclock {
	bool enabled;
	int64_t offset[SCHEDCLOCK_CPUS]; /* ns to add to get CLOCK_MONOTONIC; 0: not yet known */
};

void schedclock_init(struct schedclock *clock);

/*
 * Nanoseconds, or -1: it is in no call with a relative time-out, the kernel does not tell, or @clock
 * was not initialized.
 */
int64_t schedclock_asleep(struct schedclock *clock, pid_t pid, pid_t tid);

#endif /* CRIB_TARGET_SCHEDCLOCK_H */
