/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Printing a snapshot: process tree, memory, descriptors. The same text for the same tree whatever
 * engine read it: nothing that changes from run to run is in it.
 */
#ifndef CRIB_CLI_INSPECT_H
#define CRIB_CLI_INSPECT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "model/snapshot.h"

struct inspect_opts {
	bool json;
	bool live; /* of a running tree: without page counts, overruns and ids of images */
	/* What cannot be dumped, one line each with the option that would allow it. Borrowed. */
	const char *const *complaints;
	size_t nr_complaints;
};

/* 0, or -errno of writing to @out. */
int inspect_print(const struct snapshot *snap, const struct inspect_opts *opts, FILE *out,
		  struct err *err);

#endif /* CRIB_CLI_INSPECT_H */
