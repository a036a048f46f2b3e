/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The coordinator's watch over the tasks that are being restored: it waits until they are done with a
 * phase, notices one that dies and a phase that does not end, and kills them.
 */
#ifndef CRIB_RESTORE_WATCH_H
#define CRIB_RESTORE_WATCH_H

#include "restore/context.h"

/*
 * Waits until every step of @phase is done; of PHASE_MEMORY also until every thread is parked or
 * held. 0; -ECANCELED: somebody failed, or restore->deadline has come, see the status page.
 */
int watch_phase(struct restore *restore, enum plan_phase phase);

/* Kills whatever was born and reaps what became crib's child. */
void watch_kill_tree(struct restore *restore);

#endif /* CRIB_RESTORE_WATCH_H */
