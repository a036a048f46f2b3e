/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Failures of a restore in words: which object it was, and what to do.
 */
#ifndef CRIB_RESTORE_DESCRIBE_H
#define CRIB_RESTORE_DESCRIBE_H

#include "base/err.h"
#include "crib/restorer_abi.h"
#include "model/snapshot.h"

/* What a blob reported: the error of the op that failed, or 0. */
int describe_blob_failure(const struct snapshot *snap, const struct restorer_status *status,
			  struct err *err);

/* clone3(2) with set_tid failed with the error @failed (positive): returns it, negative. */
int describe_clone_failure(pid_t pid, int failed, struct err *err);

/* Adds what helps against a failure, if it does not say that yet. */
void describe_remedy(struct err *err);

#endif /* CRIB_RESTORE_DESCRIBE_H */
