/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Building: from gathered records to the objects and messages of a snapshot.
 */
#ifndef CRIB_DUMP_BUILD_H
#define CRIB_DUMP_BUILD_H

#include "dump/gather.h"
#include "fd/fd_kind.h"
#include "model/snapshot.h"
#include "target/freeze.h"

/* What cannot be dumped, each with the option that would help. Filled by all checks. */
struct complaints {
	struct arena arena;
	ARRAY(const char *) text;
};

void complaints_fini(struct complaints *complaints);
/* Takes the description of a refusal over. */
void complain(struct complaints *complaints, pid_t pid, const struct err *err);

/*
 * Makes tasks, threads, mappings, descriptor tables and file descriptions from what was gathered
 * of @tree. What has no kind, or a kind that refuses it, is complained about; nothing is read
 * from the target. 0, or -errno when the records are incomplete or contradict each other.
 */
int build_snapshot(struct snapshot *snap, const struct gather *gather,
		   const struct frozen_tree *tree, const struct fd_extract *x,
		   struct complaints *complaints, struct err *err);

#endif /* CRIB_DUMP_BUILD_H */
