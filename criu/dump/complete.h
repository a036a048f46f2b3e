/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Completing what engines said: what is still missing of a process is asked inside of it.
 */
#ifndef CRIB_DUMP_COMPLETE_H
#define CRIB_DUMP_COMPLETE_H

#include "dump/gather.h"
#include "target/freeze.h"

/*
 * Runs system calls in those tasks of @tree of which something is missing. 0 or -errno; -ENOTSUP:
 * it is not @allowed, and what it is needed for is named.
 */
int complete_records(const struct frozen_tree *tree, struct gather *gather, bool allowed,
		     struct err *err);

#endif /* CRIB_DUMP_COMPLETE_H */
