/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks with seccomp filters wait, before any thread has changed its credentials (ROP_HOLD): without
 * no_new_privs only a thread with CAP_SYS_ADMIN can get a filter, and what the filter forbids may be
 * just what it still has to do. So they are traced there, which suspends seccomp for as long as it
 * lasts, get their filters, and go on to their parking places.
 */
#ifndef CRIB_RESTORE_HOLD_H
#define CRIB_RESTORE_HOLD_H

#include "model/snapshot.h"

/* Do the threads of @task wait? */
bool hold_has_task(const struct task *task);

/* How many threads wait in all. */
uint32_t hold_count_threads(const struct snapshot *snap);

#endif /* CRIB_RESTORE_HOLD_H */
