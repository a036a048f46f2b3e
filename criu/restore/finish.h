/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a restore: commit, announcement and resume.
 */
#ifndef CRIB_RESTORE_FINISH_H
#define CRIB_RESTORE_FINISH_H

#include "restore/context.h"

/*
 * Runs the steps of the last two phases, once every thread is parked. 0: the tree runs; or
 * -ECANCELED with the reason in the status page: nothing runs, and no pidfile was left.
 */
int finish_restore(struct restore *restore);

#endif /* CRIB_RESTORE_FINISH_H */
