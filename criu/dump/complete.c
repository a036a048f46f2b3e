// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completing records, see complete.h.
 */
#include "collect/inside/inside.h"
#include "dump/complete.h"

/* Groups of a thread that some thread of @task lacks. */
static uint64_t missing_of_threads(const struct gather *gather, const struct frozen_task *task,
				   bool *ret_seccomp)
{
	uint64_t missing = 0;

	for (size_t i = 0; i < task->threads.n; i++) {
		const struct gathered_thread *thread =
			gather_find_thread(gather, task->pid, task->threads.v[i].tid);

		missing |= INSIDE_THREAD & ~(thread ? thread->rec.hdr.valid : 0);
		if (!thread || !(thread->rec.hdr.valid & RV_THREAD_SECCOMP) ||
		    thread->rec.seccomp_mode)
			*ret_seccomp = true;
	}
	return missing;
}

static void find_timers(struct gather *gather, const struct gathered_task *from,
			struct inside_need *need)
{
	uint32_t *ids = ARENA_ARRAY(&gather->arena, uint32_t, from->ptimers.n);

	need->timer_ids = ids;
	for (size_t i = 0; i < from->ptimers.n; i++)
		if (!(from->ptimers.v[i]->hdr.valid & RV_PTIMER_VALUE))
			ids[need->nr_timer_ids++] = from->ptimers.v[i]->id;
}

static int complete_task(const struct frozen_task *task, struct gather *gather, struct err *err)
{
	const struct gathered_task *from = gather_find(gather, task->pid);
	struct inside_need need = { 0 };
	bool seccomp = false;

	if (!from)
		return 0; /* build_snapshot() says so */
	need.sigactions = !from->sigactions;
	need.itimers = !from->itimers;
	need.task = INSIDE_TASK & ~from->rec.hdr.valid;
	need.mm = INSIDE_MM & ~from->mm.hdr.valid;
	need.thread = missing_of_threads(gather, task, &seccomp);
	need.no_seccomp = !seccomp;
	find_timers(gather, from, &need);
	if (!need.sigactions && !need.itimers && !need.task && !need.mm && !need.thread &&
	    !need.nr_timer_ids)
		return 0;
	return inside_collect(task, &need, &gather->sink, err);
}

int complete_records(const struct frozen_tree *tree, struct gather *gather, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < tree->tasks.n && ret == 0; i++)
		if (!tree->tasks.v[i]->zombie)
			ret = complete_task(tree->tasks.v[i], gather, err);
	return ret;
}
