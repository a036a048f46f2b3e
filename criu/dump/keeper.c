// SPDX-License-Identifier: GPL-2.0-only
/*
 * The keeper process, see keeper.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/apart.h"
#include "base/cleanup.h"
#include "dump/keeper.h"

enum {
	LOOK_MS = 250,      /* between two looks at the progress */
	DEATH_MS = 1000,    /* until a keeper that was killed is gone */
	CLEAN_UP_MS = 1000, /* for removing what is left of it */
};

/* How a keeper ended, in memory that both processes see. */
struct outcome {
	int done;
	int ret;
	struct err err;
	struct progress progress;
	struct keeper_remains remains;
};

int keeper_check(const struct keeper *keeper, struct err *err)
{
	struct pollfd poll_fd = { .fd = keeper->lifeline, .events = POLLIN };

	if (poll(&poll_fd, 1, 0) > 0)
		return err_set(err, -ECANCELED, "crib was killed");
	return 0;
}

void keeper_settle(struct keeper *keeper, int ret)
{
	keeper->outcome->ret = ret;
	__atomic_store_n(&keeper->outcome->done, 1, __ATOMIC_SEQ_CST);
}

static _Noreturn void keeper_main(const struct keeper_job *job, int lifeline,
				  struct outcome *outcome)
{
	struct keeper keeper = {
		.lifeline = lifeline,
		.progress = &outcome->progress,
		.remains = &outcome->remains,
		.outcome = outcome,
	};

	/* neither ^C nor the death of the terminal is for it; its lifeline tells */
	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "keeper");
	keeper_settle(&keeper, job->work(&keeper, job->ctx, &outcome->err));
	_exit(0);
}

/* Until the keeper ends, which closes the other end of @ended. False: its deadline has come. */
static bool watch(int ended, const struct outcome *outcome)
{
	struct pollfd poll_fd = { .fd = ended, .events = POLLIN };
	struct progress_line line;
	bool late = false;

	progress_line_init(&line);
	while (!late && poll(&poll_fd, 1, LOOK_MS) == 0) {
		int64_t deadline = __atomic_load_n(&outcome->progress.deadline, __ATOMIC_SEQ_CST);

		progress_line_update(&line, &outcome->progress);
		late = deadline && apart_now() > deadline;
	}
	progress_line_end(&line);
	return !late;
}

static int wait_for_keeper(pid_t pid, struct err *err)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(err, "wait for the keeper %d", pid);
	if (WIFSIGNALED(status))
		return err_set(err, -ECHILD, "the keeper %d was killed by signal %d", pid,
			       WTERMSIG(status));
	return 0;
}

/*
 * What the keeper waits for ends only by its death: then the kernel lets the tree run. A call that
 * not even this ends keeps the tree stopped.
 */
static int give_up(pid_t pid, int ended, const struct outcome *outcome, struct err *err)
{
	struct pollfd poll_fd = { .fd = ended, .events = POLLIN };
	const char *stage = outcome->progress.stage;

	kill(pid, SIGKILL);
	if (poll(&poll_fd, 1, DEATH_MS) == 0)
		return err_set(err, -ETIMEDOUT,
			       "%s: did not end in time (--timeout), and the keeper %d cannot be "
			       "killed: the tree stands until the kernel lets go of it",
			       stage, pid);
	waitpid(pid, NULL, 0);
	return err_set(err, -ETIMEDOUT, "%s: did not end in time (--timeout)", stage);
}

struct leftovers {
	const struct keeper_job *job;
	const struct keeper_remains *remains;
};

static int remove_remains(void *arg)
{
	const struct leftovers *left = arg;

	left->job->clean_up(left->job->ctx, left->remains);
	return 0;
}

static int run_and_watch(const struct keeper_job *job, struct outcome *outcome, struct err *err)
{
	struct leftovers left = { job, &outcome->remains };
	int line[2]; /* both ends tell the other process that this one is gone */
	int ret, ignored;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line))
		return err_sys(err, "make the keeper's lifeline");
	_cleanup_close_ int own_end = line[1];
	_cleanup_close_ int keepers_end = line[0];
	pid_t pid = fork();
	if (pid < 0)
		return err_sys(err, "fork the keeper");
	if (pid == 0) {
		close(line[1]);
		keeper_main(job, line[0], outcome);
	}
	close(take_fd(&keepers_end));
	ret = watch(own_end, outcome) ? wait_for_keeper(pid, err) :
					give_up(pid, own_end, outcome, err);
	if (__atomic_load_n(&outcome->done, __ATOMIC_SEQ_CST)) {
		if (ret == 0 || outcome->ret < 0)
			*err = outcome->err;
		return outcome->ret;
	}
	if (job->clean_up)
		apart_run(remove_remains, &left, apart_now() + CLEAN_UP_MS, &ignored);
	return ret < 0 ? ret : err_set(err, -ECHILD, "the keeper ended without a result");
}

int keeper_run(const struct keeper_job *job, struct err *err)
{
	struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (outcome == MAP_FAILED)
		return err_sys(err, "map memory to share with the keeper");
	int ret = run_and_watch(job, outcome, err);
	if (ret == 0) /* else a process that was given up may still look at it */
		munmap(outcome, sizeof(*outcome));
	return ret;
}
