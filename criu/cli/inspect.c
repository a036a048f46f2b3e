// SPDX-License-Identifier: GPL-2.0-only
/*
 * Printing a snapshot, see inspect.h: what text and JSON have in common.
 */
#include <errno.h>

#include "cli/inspect_print.h"

void inspect_sum(const struct mm *mm, struct mm_sums *ret_sums)
{
	struct mm_sums sums = { 0 };

	array_each(const struct vma, vma, &mm->vmas)
		sums.bytes += vma->end - vma->start;
	array_each(const struct page_range, range, &mm->pages) {
		if (range->guard)
			sums.guard += range->nr_pages;
		else if (range->shared_with)
			sums.shared += range->nr_pages;
		else
			sums.own += range->nr_pages;
	}
	*ret_sums = sums;
}

const struct task *inspect_mm_owner(const struct snapshot *snap, const struct task *task)
{
	for (uint32_t i = 0; i < task->index; i++)
		if (snap->tasks.v[i]->mm == task->mm)
			return snap->tasks.v[i];
	return task;
}

const struct task *inspect_fdt_owner(const struct snapshot *snap, const struct task *task)
{
	for (uint32_t i = 0; i < task->index; i++)
		if (snap->tasks.v[i]->fdt == task->fdt)
			return snap->tasks.v[i];
	return task;
}

const char *inspect_path(const struct ofd *ofd)
{
	return ofd && ofd->entry && ofd->entry->reg ? ofd->entry->reg->name : NULL;
}

uint64_t inspect_blocked(const struct thread *thread)
{
	const CoreEntry *core = thread->core;

	if (core && core->thread_core && core->thread_core->has_blk_sigset)
		return core->thread_core->blk_sigset;
	return core && core->tc ? core->tc->blk_sigset : 0;
}

int inspect_print(const struct snapshot *snap, const struct inspect_opts *opts, FILE *out,
		  struct err *err)
{
	if (opts->json)
		inspect_json(snap, opts, out);
	else
		inspect_text(snap, opts, out);
	if (fflush(out) || ferror(out))
		return err_sys(err, "write the text of inspect");
	return 0;
}
