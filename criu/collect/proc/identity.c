// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which tasks share an object: kcmp(2) orders the objects of one kind, so each newcomer is looked
 * for by bisection among those that are known, instead of being compared with all.
 */
#include <errno.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "collect/proc/proc.h"

struct proc_known {
	pid_t pid;
	uint32_t idx;
	uint64_t id;
};

enum { KCMP_EQUAL = 0, KCMP_LESS = 1, KCMP_GREATER = 2 };

static struct proc_known *insert_at(struct proc_run *run, struct proc_identity *known, size_t at)
{
	if (known->n == known->cap)
		known->v =
			array_grow(&run->arena, known->v, known->n, &known->cap, sizeof(*known->v));
	memmove(known->v + at + 1, known->v + at, (known->n - at) * sizeof(*known->v));
	known->n++;
	return known->v + at;
}

/* It is missing without CONFIG_KCMP, and forbidden by some containers' seccomp filters. */
bool proc_probe_kcmp(void)
{
	pid_t self = getpid();

	return syscall(SYS_kcmp, self, self, KCMP_VM, 0, 0) == KCMP_EQUAL;
}

int proc_identify(struct proc_run *run, struct proc_identity *known, int type, pid_t pid,
		  uint32_t idx, uint64_t *ret_id)
{
	size_t from = 0, to = known->n;

	while (from < to && run->source->has_kcmp) {
		size_t mid = from + (to - from) / 2;
		const struct proc_known *other = known->v + mid;
		long order = syscall(SYS_kcmp, pid, other->pid, type, (unsigned long)idx,
				     (unsigned long)other->idx);

		if (order == KCMP_EQUAL) {
			*ret_id = other->id;
			return 0;
		}
		if (order < 0)
			return err_sys(run->err, "kcmp of task %d and task %d", pid, other->pid);
		if (order == KCMP_LESS)
			to = mid;
		else
			from = mid + 1;
	}
	*ret_id = run->source->next_id++;
	if (run->source->has_kcmp)
		*insert_at(run, known, from) =
			(struct proc_known){ .pid = pid, .idx = idx, .id = *ret_id };
	return 0;
}
