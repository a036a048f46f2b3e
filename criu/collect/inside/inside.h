/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside: what no engine sees from outside is asked by system calls that run in the frozen tasks
 * themselves. Memory of the target is not touched, but for one mapping that is gone afterwards.
 *
 *   REC_SIGACTIONS  rt_sigaction(2), of every signal: also SIG_DFL has flags and a mask
 *   REC_ITIMERS     getitimer(2)
 *   REC_PTIMER      timer_gettime(2), timer_getoverrun(2): RV_PTIMER_VALUE of the ids asked for
 *   REC_TASK        prctl(2) PR_GET_DUMPABLE, PR_GET_CHILD_SUBREAPER, PR_GET_THP_DISABLE;
 *                   membarrier(2)
 *   REC_MM          brk(2)
 *   REC_THREAD      prctl(2) PR_GET_SECUREBITS, PR_GET_PDEATHSIG, PR_GET_TID_ADDRESS,
 *                   PR_GET_TIMERSLACK; sigaltstack(2)
 */
#ifndef CRIB_COLLECT_INSIDE_INSIDE_H
#define CRIB_COLLECT_INSIDE_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "collect/source.h"
#include "target/freeze.h"

/* What can be asked here. Others in a need are left alone. */
#define INSIDE_TASK (RV_TASK_DUMPABLE | RV_TASK_SUBREAPER | RV_TASK_THP | RV_TASK_MEMBARRIER)
#define INSIDE_THREAD                                                                              \
	(RV_THREAD_SECUREBITS | RV_THREAD_PDEATH | RV_THREAD_CTID | RV_THREAD_SAS | RV_THREAD_SLACK)
#define INSIDE_MM RV_MM_BRK

/* What is missing of one process. */
struct inside_need {
	const struct frozen_task *task; /* no zombie; borrowed */
	bool sigactions, itimers;
	const uint32_t *timer_ids; /* POSIX timers without their values; borrowed */
	size_t nr_timer_ids;
	uint64_t rec_task; /* RV_TASK_* */
	uint64_t mm;       /* RV_MM_* */
	uint64_t thread;   /* RV_THREAD_*, of every thread */
	bool no_seccomp;   /* it is known that no thread has filters or strict mode */
	/* Executable mappings: the vdso, then files; without, /proc/PID/maps is read. Borrowed. */
	const struct compel_range *text;
	size_t nr_text;
	struct compel_range stack; /* the mapping of the first stack; empty: not known */
	struct compel_range gap;   /* the largest hole between mappings; empty: not known */
};

/* Whether there is anything in @need that can be asked. */
bool inside_is_needed(const struct inside_need *need);

/*
 * Asks for what @needs name, of all their processes at the same time, and emits it. What the kernel
 * cannot tell is left out of the valid bits. Afterwards every thread stands as before; if the
 * caller dies meanwhile, they go on as before by themselves, see compel.h. 0 or -errno.
 */
int inside_collect(const struct inside_need *needs, size_t n, struct rec_sink *sink,
		   struct err *err);

#endif /* CRIB_COLLECT_INSIDE_INSIDE_H */
