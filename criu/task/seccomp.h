/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seccomp modes and filters. In the image a thread refers to its oldest filter, and prev leads from
 * each filter to the next newer one; threads with the same filters refer to the same entry.
 */
#ifndef CRIB_TASK_SECCOMP_H
#define CRIB_TASK_SECCOMP_H

#include <compel/compel.h>

#include "base/err.h"
#include "model/snapshot.h"

/* Dump: reads the filters of a stopped thread whose thread_core says that it has some. */
int seccomp_extract(struct snapshot *snap, struct thread *thread, struct err *err);

/* Restore: bytes of scratch memory that seccomp_apply() needs for @thread. */
size_t seccomp_scratch_size(const struct snapshot *snap, const struct thread *thread);

/* Restore: installs them in a borrowed thread, whose seccomp is suspended. */
int seccomp_apply(const struct snapshot *snap, const struct thread *thread,
		  struct compel_task *task, const struct compel_scratch *scratch, struct err *err);

#endif /* CRIB_TASK_SECCOMP_H */
