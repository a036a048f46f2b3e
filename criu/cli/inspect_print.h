/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the text and the JSON of inspect share.
 */
#ifndef CRIB_CLI_INSPECT_PRINT_H
#define CRIB_CLI_INSPECT_PRINT_H

#include "cli/inspect.h"

void inspect_text(const struct snapshot *snap, const struct inspect_opts *opts, FILE *out);
void inspect_json(const struct snapshot *snap, const struct inspect_opts *opts, FILE *out);

/* Sums over the ranges of pages and the mappings of an address space. */
struct mm_sums {
	uint64_t bytes;              /* that are mapped */
	uint64_t own, shared, guard; /* pages */
};

void inspect_sum(const struct mm *mm, struct mm_sums *ret_sums);

/* The first task in tree order that has the same memory or descriptor table; @task itself. */
const struct task *inspect_mm_owner(const struct snapshot *snap, const struct task *task);
const struct task *inspect_fdt_owner(const struct snapshot *snap, const struct task *task);

/* The path of a regular file or folder, NULL: not known. */
const char *inspect_path(const struct ofd *ofd);

/* Signals that a thread blocks; criu keeps those of the leader with the process. */
uint64_t inspect_blocked(const struct thread *thread);

#endif /* CRIB_CLI_INSPECT_PRINT_H */
