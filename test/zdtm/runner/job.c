/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs in their own session, on /dev/null or on a pseudo terminal.
 */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util.h"

enum { EXIT_NO_EXEC = 126 };

_Noreturn static void become(const struct program *program)
{
	if (program->dir && chdir(program->dir))
		_exit(EXIT_NO_EXEC);
	close_range(3, ~0U, 0);
	execv(program->argv[0], program->argv);
	dprintf(2, "%s: cannot be executed: %s\n", program->argv[0], strerror(errno));
	_exit(EXIT_NO_EXEC);
}

static void use_null(const struct program *program)
{
	int null = open("/dev/null", O_RDWR);
	int out = null;
	if (program->out)
		out = open(program->out, O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(EXIT_NO_EXEC);
}

/* Makes the caller leader of a session whose controlling terminal is @name. */
static void use_terminal(const char *name)
{
	setsid();
	int fd = open(name, O_RDWR);
	if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 ||
	    dup2(fd, 2) < 0)
		_exit(EXIT_NO_EXEC);
	if (fd > 2)
		close(fd);
}

/*
 * The session leader of a job: starts it in the foreground, tells its pid and then its status, and
 * stays, since the terminal hangs up when its leader ends.
 */
_Noreturn static void lead(const struct program *program, int report)
{
	pid_t pid = fork();
	if (pid == 0) {
		/* Both do this, since either may come first; a background job may set it too
		 * when SIGTTOU is blocked. */
		sigset_t ttou;
		sigemptyset(&ttou);
		sigaddset(&ttou, SIGTTOU);
		sigprocmask(SIG_BLOCK, &ttou, NULL);
		setpgid(0, 0);
		tcsetpgrp(0, getpid());
		sigprocmask(SIG_UNBLOCK, &ttou, NULL);
		become(program);
	}
	int status = -1;
	if (write(report, &pid, sizeof(pid)) == sizeof(pid))
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	if (write(report, &status, sizeof(status)) != sizeof(status))
		_exit(1);
	for (;;)
		pause();
}

static int open_master(char *slave, size_t size)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (master < 0 || grantpt(master) || unlockpt(master) || ptsname_r(master, slave, size))
		die("no pseudo terminal: %s", strerror(errno));
	return master;
}

void job_start(struct job *job, const struct program *program)
{
	char slave[PATH_MAX];
	int report[2] = { -1, -1 };
	*job = (struct job){ .master = -1, .report = -1 };
	if (program->start != START_NULL)
		job->master = open_master(slave, sizeof(slave));
	if (program->start == START_JOB && pipe2(report, O_CLOEXEC))
		die("no pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid < 0)
		die("cannot fork: %s", strerror(errno));
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		if (program->start == START_NULL) {
			setsid();
			use_null(program);
		} else {
			use_terminal(slave);
			close(job->master);
		}
		if (program->start == START_JOB) {
			close(report[0]);
			lead(program, report[1]);
		}
		become(program);
	}
	job->pid = pid;
	if (program->start != START_JOB)
		return;
	close(report[1]);
	job->leader = pid;
	job->report = report[0];
	if (read(job->report, &job->pid, sizeof(job->pid)) != sizeof(job->pid) || job->pid < 0)
		die("the leader of a terminal's session could not start '%s'", program->argv[0]);
}

bool job_ended(struct job *job, int *ret_status, FILE *terminal)
{
	char buf[1024];
	ssize_t n = 0;
	bool ended = false;
	if (job->leader) {
		struct pollfd report = { .fd = job->report, .events = POLLIN };
		ended = poll(&report, 1, 0) == 1 &&
			read(job->report, ret_status, sizeof(*ret_status)) == sizeof(*ret_status);
	} else {
		ended = waitpid(job->pid, ret_status, WNOHANG) == job->pid;
	}
	while (terminal && job->master >= 0 && (n = read(job->master, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, terminal);
	return ended;
}

void job_fini(struct job *job)
{
	if (job->master >= 0)
		close(job->master);
	if (job->report >= 0)
		close(job->report);
	if (job->leader) {
		kill(job->leader, SIGKILL);
		waitpid(job->leader, NULL, 0);
	}
	*job = (struct job){ .master = -1, .report = -1 };
}
