/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running and killing crib, see shot.h.
 */
#include "watch/shot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

enum { LIMIT_US = 60 * 1000000 };

uint64_t clock_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static pid_t start(const struct shot *shot, char *const *argv)
{
	pid_t pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	int null = open("/dev/null", O_RDONLY);
	int out = open(shot->out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	setpgid(0, 0);
	if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
		_exit(126);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execv(argv[0], argv);
	_exit(127);
}

/* Until the time, or its end, whichever comes first. */
static void wait_until(int pidfd, uint64_t until_us)
{
	for (;;) {
		siginfo_t info = { 0 };
		uint64_t now = clock_us();
		if (now >= until_us ||
		    (!waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT | WNOHANG) &&
		     info.si_pid))
			return;
		struct timespec ts = { .tv_nsec = 1000000 };
		if (until_us - now < 1000)
			ts.tv_nsec = (long)(until_us - now) * 1000;
		nanosleep(&ts, NULL);
	}
}

void shot_run(struct shot *shot, char *const *argv)
{
	uint64_t since = clock_us();
	pid_t pid = start(shot, argv);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	siginfo_t info = { 0 };
	if (pidfd < 0)
		die("pidfd_open: %s", strerror(errno));
	wait_until(pidfd, since + (shot->after_us ? shot->after_us : LIMIT_US));
	waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOWAIT | WNOHANG);
	shot->killed = !info.si_pid;
	if (shot->killed)
		kill(shot->group ? -pid : pid, SIGKILL);
	if (shot->killed && shot->group)
		kill(pid, SIGKILL); /* before it had its group */
	while (waitpid(pid, &shot->status, 0) < 0 && errno == EINTR)
		;
	if (shot->killed && !shot->after_us)
		shot->status = -1;
	shot->took_us = clock_us() - since;
	close(pidfd);
}

bool shot_met_pid(const struct shot *shot)
{
	char *said = slurp(shot->out);
	bool met = !shot->killed && !shot_is_fine(shot) && said && strstr(said, "is in use by");
	free(said);
	if (met)
		sleep_ms(200);
	return met;
}

bool shot_is_fine(const struct shot *shot)
{
	return shot->status != -1 && WIFEXITED(shot->status) && !WEXITSTATUS(shot->status);
}

void shot_explain(const struct shot *shot, const char *what, char why[WATCH_WHY])
{
	char *said = slurp(shot->out);
	if (shot->status == -1)
		snprintf(why, WATCH_WHY, "%s does not end: %s", what, said ? said : "");
	else if (WIFSIGNALED(shot->status))
		snprintf(why, WATCH_WHY, "%s was ended by signal %d: %s", what,
			 WTERMSIG(shot->status), said ? said : "");
	else
		snprintf(why, WATCH_WHY, "%s ended with status %d: %s", what,
			 WEXITSTATUS(shot->status), said ? said : "");
	free(said);
}

uint64_t random_below(uint64_t *seed, uint64_t limit)
{
	*seed = *seed * 6364136223846793005 + 1442695040888963407;
	return (*seed >> 33) % (limit ? limit : 1);
}

unsigned int environment_number(const char *name, unsigned int fallback)
{
	const char *text = getenv(name);
	unsigned int number;
	return text && parse_number(text, &number) ? number : fallback;
}
