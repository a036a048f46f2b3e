/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small tree of processes that has one of each object that the BPF engine reads, for its
 * self-test. It touches nothing outside of itself, and ends with the process that made it.
 */
#ifndef CRIB_COLLECT_BPF_SPECIMEN_H
#define CRIB_COLLECT_BPF_SPECIMEN_H

#include <sys/types.h>

#include "base/err.h"

/* How long the thread of this name sleeps, or less. */
#define SPECIMEN_SLEEPER "crib sleeper"
enum { SPECIMEN_SLEEP_S = 100000 };

/*
 * Starts it and waits until it has everything. Returns its first process, a child of the caller,
 * or -errno. What the kernel or the caller's rights do not allow is not made.
 */
pid_t specimen_start(struct err *err);

#endif /* CRIB_COLLECT_BPF_SPECIMEN_H */
