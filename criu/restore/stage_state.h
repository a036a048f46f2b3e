/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What should be staged for a task: computed from the snapshot, without system calls.
 */
#ifndef CRIB_RESTORE_STAGE_STATE_H
#define CRIB_RESTORE_STAGE_STATE_H

#include "restore/stage.h"

/* True if one mapping can be part of the other: the same kind of memory of the same file. */
bool stage_vmas_match(const struct vma *a, const struct vma *b);

/* What @task itself has. Allocated in the stage's arena. 0 or -EBADMSG. */
int stage_state_of_task(struct stage *stage, const struct task *task, struct stage_state *state,
			struct err *err);

/*
 * What @task should have while its children are forked. *@ret_for_children is true if that is not
 * what it has itself. 0 or -EBADMSG.
 */
int stage_state_for_fork(struct stage *stage, const struct task *task, struct stage_state *state,
			 bool *ret_for_children, struct err *err);

#endif /* CRIB_RESTORE_STAGE_STATE_H */
