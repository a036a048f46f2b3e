// SPDX-License-Identifier: GPL-2.0-only
/*
 * Completing records, see complete.h.
 */
#include <errno.h>

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

/* What the calls need of the mappings: code that is there, and places for what is not. */
static void find_places(struct gather *gather, const struct gathered_task *from,
			struct inside_need *need)
{
	struct compel_range *text = ARENA_ARRAY(&gather->arena, struct compel_range, from->vmas.n);
	uint64_t end = 0;

	need->text = text;
	for (int others = 0; others < 2; others++) {
		for (size_t i = 0; i < from->vmas.n; i++) {
			const struct rec_vma *vma = from->vmas.v[i];

			if ((vma->flags & REC_VMF(EXEC)) &&
			    (others ? vma->ino != 0 : vma->special == REC_VMA_VDSO))
				text[need->nr_text++] =
					(struct compel_range){ vma->start, vma->end };
		}
	}
	for (size_t i = 0; i < from->vmas.n; i++) {
		const struct rec_vma *vma = from->vmas.v[i];

		if (vma->special == REC_VMA_VSYSCALL)
			continue;
		if (vma->special == REC_VMA_STACK)
			need->stack = (struct compel_range){ vma->start, vma->end };
		if (end && vma->start - end > need->gap.end - need->gap.start)
			need->gap = (struct compel_range){ end, vma->start };
		end = vma->end;
	}
}

/* Fills @need with what nobody said of @task. */
static void find_need(struct gather *gather, const struct frozen_task *task,
		      struct inside_need *need)
{
	const struct gathered_task *from = gather_find(gather, task->pid);
	bool seccomp = false;

	*need = (struct inside_need){ .task = task };
	if (!from || task->zombie)
		return; /* build_snapshot() says what is wrong */
	need->sigactions = !from->sigactions;
	need->itimers = !from->itimers;
	need->rec_task = INSIDE_TASK & ~from->rec.hdr.valid;
	need->mm = INSIDE_MM & ~from->mm.hdr.valid;
	need->thread = missing_of_threads(gather, task, &seccomp);
	need->no_seccomp = !seccomp;
	find_timers(gather, from, need);
	if (inside_is_needed(need))
		find_places(gather, from, need);
}

/* The first thing in @need that there is. */
static const char *name_need(const struct inside_need *need)
{
	static const struct {
		uint64_t bit;
		const char *what;
	} of_task[] = {
		{ RV_TASK_DUMPABLE, "dumpable flag" },     { RV_TASK_SUBREAPER, "subreaper flag" },
		{ RV_TASK_THP, "switch of huge pages" },   { RV_TASK_MEMBARRIER, "membarrier state" },
	}, of_thread[] = {
		{ RV_THREAD_SECUREBITS, "securebits" }, { RV_THREAD_PDEATH, "parent death signal" },
		{ RV_THREAD_CTID, "clear_child_tid" },  { RV_THREAD_SAS, "alternate stack" },
		{ RV_THREAD_SLACK, "timer slack" },
	};

	if (need->sigactions)
		return "signal actions";
	if (need->itimers)
		return "interval timers";
	if (need->nr_timer_ids)
		return "POSIX timers";
	if (need->mm)
		return "end of the heap";
	for (size_t i = 0; i < ARRAY_SIZE(of_task); i++)
		if (need->rec_task & of_task[i].bit)
			return of_task[i].what;
	for (size_t i = 0; i < ARRAY_SIZE(of_thread); i++)
		if (need->thread & of_thread[i].bit)
			return of_thread[i].what;
	return "state";
}

static int refuse_needs(const struct inside_need *needs, size_t n, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (inside_is_needed(&needs[i]))
			return err_set(err, -ENOTSUP,
				       "task %d: only a system call in it tells its %s on this "
				       "kernel: dump without --no-parasite",
				       needs[i].task->pid, name_need(&needs[i]));
	return 0;
}

int complete_records(const struct frozen_tree *tree, struct gather *gather, bool allowed,
		     struct err *err)
{
	struct inside_need *needs = ARENA_ARRAY(&gather->arena, struct inside_need, tree->tasks.n);

	for (size_t i = 0; i < tree->tasks.n; i++)
		find_need(gather, tree->tasks.v[i], &needs[i]);
	if (!allowed)
		return refuse_needs(needs, tree->tasks.n, err);
	return inside_collect(needs, tree->tasks.n, &gather->sink, err);
}
