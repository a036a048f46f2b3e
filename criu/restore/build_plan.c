// SPDX-License-Identifier: GPL-2.0-only
/*
 * The plan of a restore from its snapshot. Nothing happens here.
 */
#include <errno.h>
#include <stdlib.h>

#include "restore/context.h"
#include "restore/find_shared.h"
#include "restore/hold.h"

struct planner {
	struct restore *restore;
	struct plan *plan;
	struct step **fork;   /* by task index: the step that makes it */
	struct step **pgid;   /* by task index: its setpgid, NULL: none */
	struct step **zombie; /* by task index: its end, or NULL */
	struct step **open;   /* by position in snap->files: the step that opens it, or NULL */
};

static void plan_prepare(struct planner *planner)
{
	struct plan *plan = planner->plan;
	struct restore *restore = planner->restore;

	plan_add(plan, PHASE_PREPARE, NULL, step_verify_contents, NULL, "verify page contents");
	if (find_shared_is_needed(&restore->snap))
		plan_add(plan, PHASE_PREPARE, NULL, step_find_shared, NULL, "find shared pages");
	plan_add(plan, PHASE_PREPARE, NULL, step_prepare_files, NULL, "prepare files");
	if (restore->snap.shmems.n)
		plan_add(plan, PHASE_PREPARE, NULL, step_prepare_shmem, NULL,
			 "prepare shared memory");
}

static bool is_living(const struct task *task)
{
	return task->state == TASK_STATE_ALIVE || task->state == TASK_STATE_STOPPED;
}

/* The forks of one task: those into its old session, then its own session, then the rest. */
static void plan_forks(struct planner *planner, struct task *task)
{
	struct restore *restore = planner->restore;
	struct plan *plan = planner->plan;
	const struct birth *births = restore->genealogy.births;

	if (restore->genealogy.adopts[task->index])
		plan_add(plan, PHASE_FORK, task, step_subreaper, task, "subreaper %d", task->pid);
	if (is_living(task))
		plan_add(plan, PHASE_FORK, task, step_stage, task, "stage memory %d", task->pid);
	for (int old_session = 1; old_session >= 0; old_session--) {
		for (size_t i = 0; i < restore->snap.tasks.n; i++) {
			struct task *child = restore->snap.tasks.v[i];

			if (births[child->index].forker == task && child->parent &&
			    births[child->index].before_setsid == (bool)old_session)
				planner->fork[child->index] =
					plan_add(plan, PHASE_FORK, task, step_fork, child,
						 "fork %d", child->pid);
		}
		if (!old_session || task->sid != task->pid)
			continue;
		plan_add(plan, PHASE_FORK, task, step_setsid, task, "setsid %d", task->pid);
		if (fd_has_terminal(&restore->snap, task->sid))
			plan_add(plan, PHASE_FORK, task, step_take_terminal, task,
				 "take terminal %d", task->pid);
	}
}

/* A group is made by its leader and then joined. */
static void plan_groups(struct planner *planner, pid_t own_pgid)
{
	struct snapshot *snap = &planner->restore->snap;

	for (int leaders = 1; leaders >= 0; leaders--) {
		for (size_t i = 0; i < snap->tasks.n; i++) {
			struct task *task = snap->tasks.v[i];
			struct task *leader = snapshot_find_task(snap, task->pgid);

			if ((leader == task) != (bool)leaders || task->sid == task->pid ||
			    task->pgid == own_pgid || !leader)
				continue;
			planner->pgid[task->index] =
				plan_add(planner->plan, PHASE_GROUP, task, step_setpgid, task,
					 "setpgid %d", task->pid);
			if (!leaders)
				plan_depend(planner->plan, planner->pgid[task->index],
					    planner->pgid[leader->index]);
		}
	}
}

/* Done by leaders, which nobody else in their session may be in place of. */
static void plan_foreground(struct planner *planner)
{
	struct snapshot *snap = &planner->restore->snap;

	for (size_t i = 0; i < snap->tasks.n; i++) {
		struct task *task = snap->tasks.v[i];

		if (is_living(task) && task->sid == task->pid && fd_has_terminal(snap, task->sid))
			plan_add(planner->plan, PHASE_OPEN, task, step_foreground, task,
				 "foreground %d", task->pid);
	}
}

/* Helpers and zombies end, and those whose children they are take note. */
static void plan_ends(struct planner *planner)
{
	struct plan *plan = planner->plan;
	struct snapshot *snap = &planner->restore->snap;

	for (size_t i = 0; i < snap->tasks.n; i++) {
		struct task *task = snap->tasks.v[i];

		if (task->state == TASK_STATE_HELPER) {
			struct step *end = plan_add(plan, PHASE_OPEN, task, step_helper_exit, task,
						    "end helper %d", task->pid);
			struct step *reap =
				plan_add(plan, PHASE_OPEN, task->parent, step_helper_reap, task,
					 "reap helper %d", task->pid);
			plan_depend(plan, reap, end);
		}
		if (task->state == TASK_STATE_DEAD)
			planner->zombie[i] = plan_add(plan, PHASE_OPEN, task, step_zombie_exit,
						      task, "end zombie %d", task->pid);
	}
	for (size_t i = 0; i < snap->tasks.n; i++) {
		struct task *task = snap->tasks.v[i];
		struct step *settle = NULL;

		for (size_t c = 0; c < task->children.n; c++) {
			struct task *child = task->children.v[c];

			if (child->state != TASK_STATE_DEAD && child->state != TASK_STATE_HELPER)
				continue;
			if (!settle && is_living(task))
				settle = plan_add(plan, PHASE_FINISH, task, step_zombies_settle,
						  task, "settle zombies %d", task->pid);
			if (settle)
				plan_depend(plan, settle, planner->zombie[child->index]);
		}
	}
}

/*
 * Descriptions are opened in the order of their dependencies: every pass adds those whose
 * dependency is planned, until a pass adds none.
 */
static int plan_opens(struct planner *planner, struct err *err)
{
	struct plan *plan = planner->plan;
	struct snapshot *snap = &planner->restore->snap;
	size_t left, added;

	do {
		left = added = 0;

		for (size_t i = 0; i < snap->files.n; i++) {
			struct ofd *ofd = snap->files.v[i];

			if (!ofd->owner || planner->open[i])
				continue;
			const struct ofd *after =
				ofd->kind->after ? ofd->kind->after(snap, ofd) : NULL;
			const struct step *dep = after ? planner->open[after->position] : NULL;
			if (after && !dep) {
				left++;
				continue;
			}
			planner->open[i] = plan_add(plan, PHASE_OPEN, ofd->owner, step_open, ofd,
						    "open %d fd %d %s", ofd->owner->pid,
						    ofd->owner_fd, ofd->kind->name);
			plan_depend(plan, planner->open[i], dep);
			added++;
		}
	} while (left && added);
	return left ? err_set(err, -EBADMSG, "descriptors that need each other to be opened") : 0;
}

/* Duplicates within a table and of other tables, and what remains once all stand. */
static void plan_slots(struct planner *planner)
{
	struct plan *plan = planner->plan;
	struct snapshot *snap = &planner->restore->snap;

	for (size_t t = 0; t < snap->tasks.n; t++) {
		struct task *task = snap->tasks.v[t];

		if (!task->fdt || task->fdt->owner != task)
			continue;
		array_each(struct fd_slot, slot, &task->fdt->slots) {
			const struct ofd *ofd = slot->ofd;

			if (ofd->owner == task && ofd->owner_fd == slot->fd)
				continue;
			struct step *step = plan_add(plan, PHASE_OPEN, task, step_fetch, slot,
						     "fetch %d fd %d", task->pid, slot->fd);
			plan_depend(plan, step, planner->open[ofd->position]);
		}
	}
	for (size_t i = 0; i < snap->files.n; i++) {
		struct ofd *ofd = snap->files.v[i];

		if (ofd->owner && ofd->kind->finish &&
		    (!ofd->kind->needs_finish || ofd->kind->needs_finish(ofd)))
			plan_add(plan, PHASE_FINISH, ofd->owner, step_finish_fd, ofd,
				 "finish %d fd %d %s", ofd->owner->pid, ofd->owner_fd,
				 ofd->kind->name);
	}
	for (size_t i = 0; i < snap->tasks.n; i++)
		if (fd_has_locks(snap, snap->tasks.v[i]))
			plan_add(plan, PHASE_FINISH, snap->tasks.v[i], step_take_locks, NULL,
				 "take file locks %d", snap->tasks.v[i]->pid);
}

static int check_kinds(struct snapshot *snap, struct err *err)
{
	for (size_t i = 0; i < snap->files.n; i++) {
		struct ofd *ofd = snap->files.v[i];

		ofd->position = (uint32_t)i;
		ofd->kind = fd_kind_of_type(ofd->entry->type);
		const ProtobufCEnumValue *type = protobuf_c_enum_descriptor_get_value(
			&fd_types__descriptor, ofd->entry->type);
		if (ofd->owner && !ofd->kind)
			return err_set(err, -ENOTSUP,
				       "descriptor %d of task %d is of type %s (%d), "
				       "which cannot be restored: use criu for this image",
				       ofd->owner_fd, ofd->owner->pid,
				       type ? type->name : "unknown", (int)ofd->entry->type);
	}
	return 0;
}

int restore_build_plan(struct restore *restore, struct err *err)
{
	struct plan *plan = &restore->plan;
	struct snapshot *snap = &restore->snap;
	struct planner planner = { .restore = restore, .plan = plan };
	int ret = check_kinds(snap, err);

	if (ret == 0)
		ret = fd_restore_adapt(snap, restore->opts, err);
	if (ret < 0)
		return ret;
	planner.fork = ARENA_ARRAY(&plan->arena, struct step *, snap->tasks.n);
	planner.pgid = ARENA_ARRAY(&plan->arena, struct step *, snap->tasks.n);
	planner.zombie = ARENA_ARRAY(&plan->arena, struct step *, snap->tasks.n);
	planner.open = ARENA_ARRAY(&plan->arena, struct step *, snap->files.n);
	plan_prepare(&planner);
	planner.fork[0] = plan_add(plan, PHASE_FORK, NULL, step_fork, snap->tasks.v[0], "fork %d",
				   snap->tasks.v[0]->pid);
	for (size_t i = 0; i < snap->tasks.n; i++)
		plan_forks(&planner, snap->tasks.v[i]);
	plan_groups(&planner, restore->own_pgid);
	for (size_t i = 0; i < snap->tasks.n; i++)
		if (is_living(snap->tasks.v[i]) && snap->tasks.v[i]->fdt->owner == snap->tasks.v[i])
			plan_add(plan, PHASE_OPEN, snap->tasks.v[i], step_open_begin, NULL,
				 "empty descriptor table %d", snap->tasks.v[i]->pid);
	plan_foreground(&planner);
	plan_ends(&planner);
	ret = plan_opens(&planner, err);
	if (ret < 0)
		return ret;
	plan_slots(&planner);
	for (size_t i = 0; i < snap->tasks.n; i++) {
		struct task *task = snap->tasks.v[i];

		if (!is_living(task))
			continue;
		plan_add(plan, PHASE_FORK, task, step_stage_finish, task, "finish memory %d",
			 task->pid);
		plan_add(plan, PHASE_MEMORY, task, step_memory, task, "restore memory %d",
			 task->pid);
	}
	if (snap->memfds.n)
		plan_add(plan, PHASE_COMMIT, NULL, step_seal_files, NULL, "seal memfds");
	if (hold_count_threads(snap))
		plan_add(plan, PHASE_COMMIT, NULL, step_filters, NULL, "install filters");
	if (snap->thread_owners.n)
		plan_add(plan, PHASE_COMMIT, NULL, step_owners, NULL, "set owners");
	plan_add(plan, PHASE_COMMIT, NULL, step_commit, NULL, "commit");
	plan_add(plan, PHASE_COMMIT, NULL, step_announce, NULL, "announce");
	plan_add(plan, PHASE_RESUME, NULL, step_resume, NULL, "resume");
	return plan_seal(plan, err);
}
