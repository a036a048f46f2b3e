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

#include "base/apart.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/pidref.h"
#include "base/ready.h"
#include "restore/commit.h"
#include "restore/finish.h"
#include "restore/patience.h"
#include "target/script.h"

enum { LATE_MS = 1000 }; /* more than --timeout, for what can say by itself that it is late */

/* Each script has the time of a phase. */
int restore_run_script(struct restore *restore, const char *hook, struct err *err)
{
	const struct opts *opts = restore->opts;
	const struct script_env env = { .images_fd = restore->images_fd,
					.init_pid = restore->snap.tasks.v[0]->pid };
	int64_t deadline = opts_deadline(opts);

	if (deadline != APART_NO_DEADLINE)
		deadline += LATE_MS + (int64_t)opts->action_scripts.n * opts->timeout * 1000;
	status_begin(restore->status, hook, deadline);
	int ret = script_run(opts, hook, &env, err);
	status_begin(restore->status, hook, opts_deadline(opts));
	return ret;
}

/* Between commit and resume: all of it can still be taken back. */
int step_announce(void *ctx, const struct step *step, struct err *err)
{
	struct restore *restore = ((struct actor *)ctx)->restore;
	const struct opts *opts = restore->opts;
	int ret = restore_run_script(restore, "post-restore", err);

	if (ret == 0 && opts->pidfile) {
		status_begin(restore->status, "writing the pidfile", opts_deadline(opts));
		ret = ready_write_pidfile(restore->work_fd, opts->pidfile,
					  restore->snap.tasks.v[0]->pid, err);
		restore->status->has_pidfile = ret == 0;
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
	if (status_is_over(restore->status) || !status_decide(restore->status, STATUS_RESUMED))
		return err_set(err, -ECANCELED, "crib was killed");
	commit_resume(restore);
	restore->status->let_go = 1;
	run_late_script(restore, "post-resume");
	return 0;
}

static int finish(struct restore *restore)
{
	struct actor coordinator = { .restore = restore };
	struct err err = ERR_INIT;
	int ret = 0;

	for (enum plan_phase phase = PHASE_COMMIT; phase < PHASE_MAX && ret == 0; phase++) {
		status_begin(restore->status, phase == PHASE_COMMIT ? "the commit" : "resuming",
			     opts_deadline(restore->opts));
		ret = actor_run_phase(&coordinator, phase);
	}
	if (ret < 0 && restore->status->has_pidfile)
		ready_remove_pidfile(restore->work_fd, restore->opts->pidfile);
	status_begin(restore->status, "removing temporary names", opts_deadline(restore->opts));
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

/* True when it has ended; false: it does not do what it is about in time. */
static bool await_end(const struct status *status, int pidfd)
{
	enum { LOOK_MS = 250 };
	int64_t deadline;

	do {
		if (pidref_ends_by(pidfd, apart_now() + LOOK_MS))
			return true;
		deadline = __atomic_load_n(&status->deadline, __ATOMIC_SEQ_CST);
	} while (apart_now() <= deadline);
	return false;
}

static int remove_pidfile(struct restore *restore, struct err *err)
{
	ready_remove_pidfile(restore->work_fd, restore->opts->pidfile);
	return 0;
}

/* Its threads die with it, but once they run. 0: the tree runs. */
static int give_up(struct restore *restore, int pidfd)
{
	struct status *status = restore->status;
	struct err err = ERR_INIT;

	err_set(&err, -ETIMEDOUT, "%s took more than %u s (--timeout)", status->doing,
		restore->opts->timeout);
	if (!status_decide(status, STATUS_GIVEN_UP)) {
		/* what it does until then cannot wait for anything */
		while (!__atomic_load_n(&status->let_go, __ATOMIC_SEQ_CST) &&
		       !pidref_ends_by(pidfd, apart_now() + LATE_MS))
			;
		log_warn("%s", err.text);
	} else {
		status_fail(status, 0, &err);
	}
	pidref_kill(pidfd, SIGKILL);
	restore->deadline = apart_now() + LATE_MS;
	if (pidref_ends_by(pidfd, restore->deadline) && !status->let_go && status->has_pidfile)
		patience_run(restore, remove_pidfile, "removing the pidfile", NULL);
	return status->let_go ? 0 : -ECANCELED;
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
	_cleanup_close_ int pidfd = pidref_open(pid);
	if (pidfd >= 0 && !await_end(restore->status, pidfd))
		return give_up(restore, pidfd);
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
