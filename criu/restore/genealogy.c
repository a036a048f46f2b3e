// SPDX-License-Identifier: GPL-2.0-only
/*
 * Planning births, see genealogy.h. Only data; no system calls.
 */
#include <errno.h>

#include "restore/genealogy.h"

static bool is_session_leader(const struct task *task)
{
	return task->sid == task->pid;
}

static bool is_below(const struct task *task, const struct task *ancestor)
{
	for (; task; task = task->parent)
		if (task == ancestor)
			return true;
	return false;
}

/*
 * Numbers of sessions and groups outside of the tree mean the shell that the job was started from;
 * now it is the one that crib was started from.
 */
static void adopt_outer_ids(struct snapshot *snap, pid_t own_sid, pid_t own_pgid)
{
	struct task *root = snap->tasks.v[0];
	pid_t outer_sid = is_session_leader(root) ? 0 : root->sid;
	pid_t outer_pgid = snapshot_find_task(snap, root->pgid) ? 0 : root->pgid;

	if (outer_sid && snapshot_find_task(snap, outer_sid))
		outer_sid = 0;
	for (size_t i = 0; i < snap->tasks.n; i++) {
		struct task *task = snap->tasks.v[i];

		if (outer_sid && task->sid == outer_sid)
			task->sid = own_sid;
		if (outer_pgid && task->pgid == outer_pgid)
			task->pgid = own_pgid;
	}
}

static struct task *add_helper(struct snapshot *snap, pid_t pid, struct task *parent, pid_t sid)
{
	struct task *helper = snapshot_add_task(snap, pid, parent);
	struct thread *thread = array_push(&snap->arena, &helper->threads);

	thread->tid = pid;
	thread->task = helper;
	helper->state = TASK_STATE_HELPER;
	helper->sid = sid;
	helper->pgid = pid;
	return helper;
}

/* A dead leader lives again, as a sibling of the first task that knew it, until all are born. */
static int add_helpers(struct snapshot *snap, pid_t own_sid, pid_t own_pgid, struct err *err)
{
	size_t n = snap->tasks.n;

	for (size_t i = 0; i < n; i++) {
		struct task *task = snap->tasks.v[i];

		if (task->sid != own_sid && task->sid && !snapshot_find_task(snap, task->sid)) {
			if (!task->parent)
				return err_set(err, -ENOTSUP,
					       "the root task %d is in session %d, whose leader is "
					       "outside of the tree; use --shell-job",
					       task->pid, task->sid);
			add_helper(snap, task->sid, task->parent, task->sid);
		}
		if (task->pgid != own_pgid && task->pgid && !snapshot_find_task(snap, task->pgid)) {
			if (!task->parent)
				return err_set(err, -ENOTSUP,
					       "the root task %d is in group %d, whose leader is "
					       "outside of the tree; use --shell-job",
					       task->pid, task->pgid);
			add_helper(snap, task->pgid, task->parent, task->sid);
		}
	}
	return 0;
}

static int plan_birth(struct genealogy *genealogy, struct snapshot *snap, struct task *task,
		      struct err *err)
{
	struct birth *birth = &genealogy->births[task->index];
	struct task *parent = task->parent;
	const struct birth *parents = &genealogy->births[parent->index];

	birth->forker = parent;
	birth->born_sid = parent->sid;
	if (is_session_leader(task) || task->sid == parent->sid)
		return 0;
	if (is_session_leader(parent) && task->sid == parents->born_sid) {
		birth->before_setsid = true;
		birth->born_sid = task->sid;
		return 0;
	}
	struct task *leader = snapshot_find_task(snap, task->sid);
	if (!leader || leader == task || !is_session_leader(leader) || !is_below(leader, parent))
		return err_set(
			err, -ENOTSUP,
			"task %d: its session %d cannot be made again, its leader is not below "
			"its parent %d",
			task->pid, task->sid, parent->pid);
	birth->forker = leader;
	birth->orphaned = true;
	birth->born_sid = task->sid;
	genealogy->adopts[parent->index] = true;
	return 0;
}

int genealogy_plan(struct genealogy *genealogy, struct snapshot *snap, pid_t own_sid,
		   pid_t own_pgid, struct err *err)
{
	adopt_outer_ids(snap, own_sid, own_pgid);
	int ret = add_helpers(snap, own_sid, own_pgid, err);

	genealogy->births = ARENA_ARRAY(&snap->arena, struct birth, snap->tasks.n);
	genealogy->adopts = ARENA_ARRAY(&snap->arena, bool, snap->tasks.n);
	genealogy->births[0].born_sid = own_sid;
	for (size_t i = 1; i < snap->tasks.n && ret == 0; i++) {
		struct task *task = snap->tasks.v[i];

		if (!task->parent)
			return err_set(err, -EBADMSG, "task %d has no parent in the tree",
				       task->pid);
		ret = plan_birth(genealogy, snap, task, err);
	}
	return ret;
}
