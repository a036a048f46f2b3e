// SPDX-License-Identifier: GPL-2.0-only
/*
 * The coordinator's watch over the tasks that are being restored, see watch.h.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/apart.h"
#include "base/cleanup.h"
#include "base/pidref.h"
#include "restore/commit.h"
#include "restore/describe.h"
#include "restore/hold.h"
#include "restore/watch.h"

enum {
	WATCH_INTERVAL_MS = 50, /* how long an unexpected death of a task may go unnoticed */
	DEATH_MS = 1000,        /* until all that were killed are gone */
};

/* A task whose process may end before the others are done. */
static bool may_exit(const struct task *task)
{
	return task->state == TASK_STATE_DEAD || task->state == TASK_STATE_HELPER;
}

static void fail_task(struct restore *restore, const struct task *task)
{
	struct err err = ERR_INIT;

	err_set(&err, -ECHILD, "task %d died while it was restored", task->pid);
	status_fail(restore->status, task->index, &err);
}

/* Opens pidfds of those that have been born; an early death is a failure of the restore. */
static void watch_tasks(struct restore *restore)
{
	for (uint32_t i = 0; i < restore->snap.tasks.n; i++) {
		const struct task *task = restore->snap.tasks.v[i];
		int *pidfd = &restore->pidfds[i];

		if (may_exit(task) || !status_is_alive(restore->status, i))
			continue;
		if (*pidfd < 0)
			*pidfd = pidref_open(task->pid);
		if (*pidfd < 0 || pidref_has_exited(*pidfd) > 0)
			fail_task(restore, task);
	}
}

typedef bool done_fn(struct restore *restore, enum plan_phase phase);

static bool phase_done(struct restore *restore, enum plan_phase phase)
{
	return !__atomic_load_n(&restore->status->phase_left[phase], __ATOMIC_SEQ_CST);
}

static bool all_parked(struct restore *restore, enum plan_phase phase)
{
	const struct restorer_status *blob = &restore->status->restorer;
	uint32_t held = hold_count_threads(&restore->snap);

	return __atomic_load_n(&blob->held, __ATOMIC_SEQ_CST) == held &&
	       __atomic_load_n(&blob->parked, __ATOMIC_SEQ_CST) ==
		       commit_count_threads(&restore->snap) - held;
}

static const char *const phase_words[PHASE_MAX] = {
	[PHASE_PREPARE] = "preparing",          [PHASE_FORK] = "starting tasks, reading memory",
	[PHASE_GROUP] = "joining groups",       [PHASE_OPEN] = "opening descriptors",
	[PHASE_FINISH] = "opening descriptors", [PHASE_MEMORY] = "restoring memory",
	[PHASE_COMMIT] = "committing",          [PHASE_RESUME] = "resuming",
};

/* What a blob reported is an error of the restore. */
static void take_blob_failure(struct restore *restore)
{
	struct err err = ERR_INIT;

	if (describe_blob_failure(&restore->snap, &restore->status->restorer, &err) < 0)
		status_fail(restore->status, 0, &err);
}

/* What the phase still waits for: the first of its steps that is not done. */
static void fail_late(struct restore *restore, enum plan_phase phase)
{
	const struct plan *plan = &restore->plan;
	const struct step *step = NULL;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < plan->steps.n && !step; i++)
		if (plan->steps.v[i]->phase == phase &&
		    !status_step_is_done(restore->status, plan->steps.v[i]))
			step = plan->steps.v[i];
	err_set(&err, -ETIMEDOUT, "%s: did not end in %u s (--timeout)",
		step ? step->name : "the last calls of the tasks", restore->opts->timeout);
	status_fail(restore->status, 0, &err);
}

static int wait_until(struct restore *restore, done_fn *done, enum plan_phase phase)
{
	uint32_t seen = __atomic_load_n(&restore->status->events, __ATOMIC_SEQ_CST);

	for (;;) {
		take_blob_failure(restore);
		if (__atomic_load_n(&restore->status->failed, __ATOMIC_SEQ_CST))
			return -ECANCELED;
		if (done(restore, phase))
			return 0;
		watch_tasks(restore);
		restore->progress.stage = phase_words[phase];
		progress_line_update(&restore->progress_line, &restore->progress);
		if (apart_now() > restore->deadline)
			fail_late(restore, phase);
		seen = status_wait_event(restore->status, seen, WATCH_INTERVAL_MS);
	}
}

int watch_phase(struct restore *restore, enum plan_phase phase)
{
	int ret = wait_until(restore, phase_done, phase);

	return ret == 0 && phase == PHASE_MEMORY ? wait_until(restore, all_parked, phase) : ret;
}

void watch_kill_tree(struct restore *restore)
{
	int64_t deadline = apart_now() + DEATH_MS;

	for (uint32_t i = 0; i < restore->snap.tasks.n; i++) {
		int *pidfd = &restore->pidfds[i];

		if (!status_is_alive(restore->status, i))
			continue;
		if (*pidfd < 0)
			*pidfd = pidref_open(restore->snap.tasks.v[i]->pid);
		if (*pidfd >= 0)
			pidref_kill(*pidfd, SIGKILL);
	}
	for (uint32_t i = 0; i < restore->snap.tasks.n; i++) {
		_cleanup_close_ int pidfd = take_fd(&restore->pidfds[i]);

		if (pidfd >= 0)
			pidref_ends_by(pidfd, deadline);
	}
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}
