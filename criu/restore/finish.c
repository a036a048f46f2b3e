// SPDX-License-Identifier: GPL-2.0-only
/*
 * The finisher: the process that takes the last steps of a restore, in a session of its own. It is
 * the tracer of all threads, and what makes the tree run is that it lets one after the other go. A
 * tracer that dies in between leaves a part of the tree, so it must not die with crib. When crib is
 * gone before the first thread was let go, the finisher ends, and with it the tree.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/ready.h"
#include "restore/commit.h"
#include "restore/finish.h"
#include "target/script.h"

int restore_run_script(struct restore *restore, const char *hook, struct err *err)
{
	const struct script_env env = { .images_fd = restore->images_fd,
					.init_pid = restore->snap.tasks.v[0]->pid };

	return script_run(restore->opts, hook, &env, err);
}

/* Between commit and resume: all of it can still be taken back. */
int step_announce(void *ctx, const struct step *step, struct err *err)
{
	struct restore *restore = ((struct actor *)ctx)->restore;
	const struct opts *opts = restore->opts;
	int ret = restore_run_script(restore, "post-restore", err);

	if (ret == 0 && opts->pidfile) {
		ret = ready_write_pidfile(restore->work_fd, opts->pidfile,
					  restore->snap.tasks.v[0]->pid, err);
		restore->has_pidfile = ret == 0;
	}
	return ret;
}

/* The tasks run, or are about to: what a script says then is only reported. */
static void run_late_script(struct restore *restore, const char *hook)
{
	struct err err = ERR_INIT;

	if (restore_run_script(restore, hook, &err) < 0)
		log_warn("%s", err.text);
}

int step_resume(void *ctx, const struct step *step, struct err *err)
{
	struct restore *restore = ((struct actor *)ctx)->restore;

	run_late_script(restore, "pre-resume");
	/* the last moment for this: from here on the tree is let go, whatever happens to crib */
	if (status_is_over(restore->status))
		return err_set(err, -ECANCELED, "crib was killed");
	commit_resume(restore);
	run_late_script(restore, "post-resume");
	return 0;
}

static int finish(struct restore *restore)
{
	struct actor coordinator = { .restore = restore };
	struct err err = ERR_INIT;
	int ret = 0;

	for (enum plan_phase phase = PHASE_COMMIT; phase < PHASE_MAX && ret == 0; phase++)
		ret = actor_run_phase(&coordinator, phase);
	if (ret < 0 && restore->has_pidfile)
		ready_remove_pidfile(restore->work_fd, restore->opts->pidfile);
	if (ret == 0 &&
	    fd_restore_cleanup(&restore->snap, restore->opts, restore->root_fd, true, &err) < 0)
		log_warn("%s", err.text);
	return ret;
}

static void report_death(struct restore *restore, const char *how, int number)
{
	struct err err = ERR_INIT;

	err_set(&err, -ECHILD, "the process that finishes the restore %s %d", how, number);
	status_fail(restore->status, 0, &err);
}

int finish_restore(struct restore *restore)
{
	struct err err = ERR_INIT;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		/* what is meant for crib's process group or terminal is not for it */
		setsid();
		_exit(finish(restore) < 0);
	}
	if (pid < 0) {
		err_sys(&err, "fork the process that finishes the restore");
		status_fail(restore->status, 0, &err);
		return -ECANCELED;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	/* the first failure is kept, this is one only when the finisher had none to report */
	if (WIFSIGNALED(status))
		report_death(restore, "was killed by signal", WTERMSIG(status));
	else
		report_death(restore, "ended with status", WEXITSTATUS(status));
	return -ECANCELED;
}
