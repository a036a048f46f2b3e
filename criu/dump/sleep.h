/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is left of interrupted sleeps, where no engine looked into the kernel: the time-out less the
 * time that the thread had not run.
 */
#ifndef CRIB_DUMP_SLEEP_H
#define CRIB_DUMP_SLEEP_H

#include "dump/gather.h"
#include "target/freeze.h"

/* Emits RV_THREAD_RESTART of threads that lack it. Best effort; 0, or -errno of the sink. */
int sleep_complete(const struct frozen_tree *tree, struct gather *gather, struct err *err);

#endif /* CRIB_DUMP_SLEEP_H */
