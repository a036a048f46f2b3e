/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Seccomp modes and filters. In the image a thread refers to its oldest filter, and prev leads from
 * each filter to the next newer one; threads with the same filters refer to the same entry.
 */
#ifndef CRIB_TASK_SECCOMP_H
#define CRIB_TASK_SECCOMP_H

#include <compel/compel.h>

#include "base/err.h"
#include "model/snapshot.h"

/* Dump: reads the filters of a stopped thread whose thread_core says that it has some. */
int seccomp_extract(struct snapshot *snap, struct thread *thread, struct err *err);

/*
 * Restore: has the thread filters? A thread without no_new_privs needs CAP_SYS_ADMIN to get them,
 * which it may not have had any more when it was dumped: they come before its credentials.
 */
bool seccomp_has_filters(const struct thread *thread);

/* Restore: how many it has. 0, or -EBADMSG: the image lacks some. */
int seccomp_count_filters(const struct snapshot *snap, const struct thread *thread, size_t *ret_n,
			  struct err *err);

/* Restore: how many filters all threads of @task have in common, counted from the oldest. */
int seccomp_count_common(const struct snapshot *snap, const struct task *task, size_t *ret_n,
			 struct err *err);

/* Which filters of a thread, counted from the oldest. */
struct seccomp_part {
	const struct thread *thread;
	size_t first, end; /* end: exclusive, SIZE_MAX: all */
	bool all_threads;  /* of the process get them, as one and the same */
};

/* Restore: bytes of scratch memory for seccomp_install(). */
size_t seccomp_scratch_size(const struct snapshot *snap);

/* Restore: installs them in a borrowed thread; seccomp of all that get them is suspended. */
int seccomp_install(const struct snapshot *snap, const struct seccomp_part *part,
		    struct compel_task *task, const struct compel_scratch *scratch,
		    struct err *err);

/* Restore: strict mode, if the thread was in it; after it the thread is given back. */
int seccomp_apply_strict(const struct thread *thread, struct compel_task *task, struct err *err);

#endif /* CRIB_TASK_SECCOMP_H */
