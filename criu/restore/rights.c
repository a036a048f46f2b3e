// SPDX-License-Identifier: GPL-2.0-only
/*
 * What crib has to be allowed to restore a tree, see rights.h.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "restore/rights.h"

static const struct task *find_seccomp_task(const struct snapshot *snap)
{
	for (size_t i = 0; i < snap->tasks.n; i++) {
		const struct task *task = snap->tasks.v[i];

		if (task->state == TASK_STATE_DEAD)
			continue;
		array_each(const struct thread, thread, &task->threads)
			if (thread->core && thread->core->thread_core &&
			    thread->core->thread_core->seccomp_mode != SECCOMP_MODE__disabled)
				return task;
	}
	return NULL;
}

/* Seccomp of a restored task can only be suspended by who has a certain right and no seccomp. */
static int check_seccomp(const struct snapshot *snap, bool is_admin, struct err *err)
{
	const struct task *task = find_seccomp_task(snap);

	if (!task)
		return 0;
	if (!is_admin)
		return err_set(err, -EPERM,
			       "task %d uses seccomp: to restore that needs CAP_SYS_ADMIN, run "
			       "crib as root",
			       task->pid);
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0)
		return err_set(err, -EPERM,
			       "task %d uses seccomp: to restore that, crib must not run under a "
			       "seccomp filter itself, start it outside of this container",
			       task->pid);
	return 0;
}

/*
 * clone3(2) gives a task its pid only to who has one of two capabilities. Known before anything
 * happens, it is said in place of the first thing that somebody without rights runs into.
 */
int rights_check(const struct snapshot *snap, struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return err_sys(err, "capget");
	bool is_admin = data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);

	if (is_admin || data[CAP_TO_INDEX(CAP_CHECKPOINT_RESTORE)].effective &
				CAP_TO_MASK(CAP_CHECKPOINT_RESTORE))
		return check_seccomp(snap, is_admin, err);
	return err_set(err, -EPERM,
		       "not permitted: to give tasks their old pids needs "
		       "CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN, run crib as root");
}
