/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The messages of tasks, threads and address spaces, filled from gathered records.
 */
#ifndef CRIB_DUMP_BUILD_CORE_H
#define CRIB_DUMP_BUILD_CORE_H

#include "dump/gather.h"
#include "model/snapshot.h"
#include "target/freeze.h"

/*
 * Adds @frozen's threads to @task, with the messages of core_entry but registers and signals,
 * which task/ reads through ptrace. 0 or -EBADMSG when records are missing.
 */
int build_threads(struct snapshot *snap, struct task *task, const struct frozen_task *frozen,
		  const struct gather *gather, struct err *err);

/* mm->entry. 0 or -EBADMSG. */
int build_mm_entry(struct snapshot *snap, struct mm *mm, const struct gathered_task *from,
		   struct err *err);

#endif /* CRIB_DUMP_BUILD_CORE_H */
