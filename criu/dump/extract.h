/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Extraction: the contents that records do not carry, read from the stopped tasks: thread state,
 * the state behind descriptors, the files that are mapped, run and stood in.
 */
#ifndef CRIB_DUMP_EXTRACT_H
#define CRIB_DUMP_EXTRACT_H

#include "dump/gather.h"
#include "fd/fd_kind.h"
#include "model/snapshot.h"

/* 0 or -errno; the snapshot is complete but for page contents. */
int extract_contents(struct snapshot *snap, const struct gather *gather, struct fd_extract *x,
		     struct err *err);

#endif /* CRIB_DUMP_EXTRACT_H */
