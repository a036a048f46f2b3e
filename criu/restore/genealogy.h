/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who forks whom and when, so that every task ends up with its parent and its session: a session
 * is inherited at fork and left only by setsid(2), and an orphan goes to the nearest subreaper.
 */
#ifndef CRIB_RESTORE_GENEALOGY_H
#define CRIB_RESTORE_GENEALOGY_H

#include "model/snapshot.h"

struct birth {
	struct task *forker; /* NULL: the coordinator */
	bool before_setsid;  /* of the forker, whose old session it is born into */
	bool orphaned;       /* by a go-between that exits, so that task->parent adopts it */
	pid_t born_sid;      /* its session at birth */
};

struct genealogy {
	struct birth *births; /* by task index */
	bool *adopts;         /* by task index: needs to be a subreaper meanwhile */
};

/*
 * Adds helper tasks to @snap for dead leaders of sessions and groups, and plans every birth.
 * @own_sid, @own_pgid: crib's; what the image says of a session outside of the tree becomes these.
 * 0; -ENOTSUP: no order of forks leads there.
 */
int genealogy_plan(struct genealogy *genealogy, struct snapshot *snap, pid_t own_sid,
		   pid_t own_pgid, struct err *err);

#endif /* CRIB_RESTORE_GENEALOGY_H */
