// SPDX-License-Identifier: GPL-2.0-only
/*
 * An actor: the process that becomes one task. It runs its steps of the plan in their order and
 * ends in the restorer program.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "restore/context.h"
#include "restore/open.h"

static int run_step(struct actor *actor, const struct step *step, struct err *err)
{
	struct status *status = actor->restore->status;
	const char *fail = getenv("CRIB_FAIL_STEP");

	for (size_t i = 0; i < step->deps.n; i++) {
		int ret = status_wait_step(status, step->deps.v[i]);

		if (ret < 0)
			return ret;
	}
	if (fail && !strcmp(fail, step->name))
		return err_set(err, -EIO, "fails because CRIB_FAIL_STEP says so");
	log_debug("%s", step->name);
	return step->run(actor, step, err);
}

int actor_run_phase(struct actor *actor, enum plan_phase phase)
{
	struct restore *restore = actor->restore;

	for (size_t i = 0; i < restore->plan.steps.n; i++) {
		const struct step *step = restore->plan.steps.v[i];
		struct err err = ERR_INIT;

		if (step->phase != phase || step->actor != actor->task)
			continue;
		int ret = run_step(actor, step, &err);
		/* without words: somebody else failed, who has said why */
		if (ret == -ECANCELED && !err.text[0])
			return ret;
		if (ret < 0) {
			err_wrap(&err, ret, "%s", step->name);
			status_fail(restore->status, actor->task ? actor->task->index : 0, &err);
			return ret;
		}
		status_done(restore->status, step);
	}
	return 0;
}

/*
 * No actor outlives the one that forked it; the image's own setting comes last. An orphan's first
 * parent is about to exit, so it waits until it has been adopted.
 */
static int tie_to_parent(const struct restore *restore, const struct task *task, struct err *err)
{
	enum { ADOPTION_MS = 2000 };

	if (restore->genealogy.births[task->index].orphaned) {
		for (int ms = 0; getppid() != task->parent->pid; ms++) {
			if (ms == ADOPTION_MS)
				return err_set(err, -ECHILD, "adopted by %d instead of %d",
					       getppid(), task->parent->pid);
			usleep(1000);
		}
	}
	return prctl(PR_SET_PDEATHSIG, SIGKILL) ? err_sys(err, "PR_SET_PDEATHSIG") : 0;
}

/* --log-pid: FILE.PID beside the log. Without it lines go where they went. */
static void open_own_log(const struct restore *restore, const struct task *task)
{
	char name[256];

	if (!restore->opts->log_file || restore->work_fd < 0)
		return;
	snprintf(name, sizeof(name), "%s.%d", restore->opts->log_file, task->pid);
	_cleanup_close_ int fd = openat(restore->work_fd, name,
					O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	int high = fcntl(fd, F_DUPFD_CLOEXEC, restore->service_fd);
	if (high >= 0)
		log_open(high, log_level());
}

_Noreturn void actor_main(struct restore *restore, struct task *task)
{
	struct actor actor = {
		.restore = restore,
		.task = task,
		.opener = {
			.snap = &restore->snap,
			.opts = restore->opts,
			.task = task,
			.images_fd = restore->images_fd,
			.root_fd = restore->root_fd,
			.service_fd = restore->service_fd,
			.outer_pgid = restore->own_pgid,
			.fetch = actor_fetch_ofd,
		},
	};

	struct err err = ERR_INIT;

	log_set_pid(task->pid);
	if (restore->opts->log_pid)
		open_own_log(restore, task);
	if (tie_to_parent(restore, task, &err) < 0) {
		err_wrap(&err, err.code, "task %d", task->pid);
		status_fail(restore->status, task->index, &err);
		_exit(1);
	}
	for (enum plan_phase phase = PHASE_FORK; phase <= PHASE_MEMORY; phase++) {
		if (actor_run_phase(&actor, phase) < 0 ||
		    status_wait_phase(restore->status, phase) < 0)
			_exit(1);
	}
	_exit(1); /* the last step of a living task does not return, others have exited */
}
