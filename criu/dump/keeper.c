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

#include "base/cleanup.h"
#include "dump/keeper.h"

enum { PROGRESS_MS = 250 };

/* How a keeper ended, in memory that both processes see. */
struct outcome {
	int done;
	int ret;
	struct err err;
	struct progress progress;
};

int keeper_check(const struct keeper *keeper, struct err *err)
{
	struct pollfd poll_fd = { .fd = keeper->lifeline, .events = POLLIN };

	if (poll(&poll_fd, 1, 0) > 0)
		return err_set(err, -ECANCELED, "crib was killed");
	return 0;
}

static _Noreturn void keeper_main(keeper_fn *work, void *ctx, int lifeline, struct outcome *outcome)
{
	struct keeper keeper = { .lifeline = lifeline, .progress = &outcome->progress };

	/* neither ^C nor the death of the terminal is for it; its lifeline tells */
	setsid();
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "keeper");
	outcome->ret = work(&keeper, ctx, &outcome->err);
	outcome->done = 1;
	_exit(0);
}

/* Until the keeper ends, which closes the other end of @ended. */
static void show_progress(int ended, const struct outcome *outcome)
{
	struct pollfd poll_fd = { .fd = ended, .events = POLLIN };
	struct progress_line line;

	progress_line_init(&line);
	while (poll(&poll_fd, 1, PROGRESS_MS) == 0)
		progress_line_update(&line, &outcome->progress);
	progress_line_end(&line);
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

int keeper_run(keeper_fn *work, void *ctx, struct err *err)
{
	struct outcome *outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int line[2]; /* both ends tell the other process that this one is gone */

	if (outcome == MAP_FAILED)
		return err_sys(err, "map memory to share with the keeper");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, line))
		return err_sys(err, "make the keeper's lifeline");
	pid_t pid = fork();
	if (pid == 0) {
		close(line[1]);
		keeper_main(work, ctx, line[0], outcome);
	}
	close(line[0]);
	if (pid > 0)
		show_progress(line[1], outcome);
	int ret = pid < 0 ? err_sys(err, "fork the keeper") : wait_for_keeper(pid, err);
	close(line[1]);
	if (ret == 0 && !outcome->done) {
		ret = err_set(err, -ECHILD, "the keeper ended without a result");
	} else if (ret == 0) {
		ret = outcome->ret;
		*err = outcome->err;
	}
	munmap(outcome, sizeof(*outcome));
	return ret;
}
