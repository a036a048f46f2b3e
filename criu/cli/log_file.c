// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening the log, see log_file.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/apart.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/log_file.h"

/* With --timeout: of a pipe that nobody reads; of an opening that does not end by itself. */
enum { PATIENCE_MS = 200, LATE_MS = 500 };

/* Opening the log file, which may have to be given up. */
struct log_file {
	const struct opts *opts;
	struct err *err;
	int fd;
};

/* A FIFO is waited for as long as --timeout allows, until somebody reads it. */
static int open_log_file(void *arg)
{
	enum { ATTEMPT_US = 10000 };
	struct log_file *file = arg;
	const struct opts *opts = file->opts;
	int64_t deadline = opts_deadline(opts);
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC;
	_cleanup_close_ int dir = open(opts->work_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_sys(file->err, "open work directory '%s'", opts->work_dir);
	if (deadline != APART_NO_DEADLINE)
		flags |= O_NONBLOCK;
	while ((file->fd = openat(dir, opts->log_file, flags, 0600)) < 0 && errno == ENXIO) {
		if (apart_now() > deadline)
			return err_set(file->err, -ETIMEDOUT,
				       "log file '%s' in '%s' is a FIFO that nobody reads "
				       "(--timeout)",
				       opts->log_file, opts->work_dir);
		usleep(ATTEMPT_US);
	}
	if (file->fd < 0)
		return err_sys(file->err, "create log file '%s' in '%s'", opts->log_file,
			       opts->work_dir);
	fcntl(file->fd, F_SETFL, fcntl(file->fd, F_GETFL) & ~O_NONBLOCK);
	return 0;
}

static int open_log_in_time(struct log_file *file)
{
	const struct opts *opts = file->opts;
	int64_t deadline = opts_deadline(opts);
	int ret = 0;

	if (deadline == APART_NO_DEADLINE)
		return open_log_file(file);
	/* some more, so that it can say by itself what it waits for */
	switch (apart_run(open_log_file, file, deadline + LATE_MS, &ret)) {
	case APART_DONE: return ret;
	case APART_LATE:
		return err_set(file->err, -ETIMEDOUT,
			       "opening log file '%s' in '%s' took more than %u s (--timeout)",
			       opts->log_file, opts->work_dir, opts->timeout);
	case APART_KILLED:
		return err_set(file->err, -ECHILD, "the process that opens the log was killed");
	case APART_FAILED: break;
	}
	return err_sys(file->err, "clone a process to open the log");
}

int log_file_open(const struct opts *opts, struct err *err)
{
	struct log_file file = { .opts = opts, .err = err, .fd = -1 };

	if (opts_deadline(opts) != APART_NO_DEADLINE)
		log_set_patience(PATIENCE_MS);
	if (opts->log_file && !strcmp(opts->log_file, "-")) {
		file.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (file.fd < 0)
			return err_sys(err, "log to standard output");
	} else if (opts->log_file) {
		int ret = open_log_in_time(&file);

		if (ret < 0)
			return ret;
	}
	log_open(file.fd, (enum log_level)opts->verbosity);
	return 0;
}
