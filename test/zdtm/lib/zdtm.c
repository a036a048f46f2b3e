/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test programs' side of the runner's protocol, and the few helpers that many of them share.
 * A program is ready when `ready` exists in its scratch directory: a directory, since mkdir() needs
 * no descriptor that a dump could catch.
 */
#include "zdtm.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_PASS = 0, EXIT_FAIL = 1, EXIT_SKIP = 77 };

volatile sig_atomic_t zdtm_stop;

static char result_path[PATH_MAX];
static char ready_path[PATH_MAX];
static int held_result = -1;
static int child_report = -1; /* in a child of zdtm_spawn(): the parent waits at its other end */

static sigset_t stop_set(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	return set;
}

/* Before main(), so that every thread and child is born with SIGTERM blocked. */
__attribute__((constructor)) static void zdtm_init(void)
{
	char cwd[PATH_MAX - sizeof("/result")];
	if (!getcwd(cwd, sizeof(cwd))) {
		perror("zdtm: working directory");
		exit(EXIT_FAIL);
	}
	snprintf(result_path, sizeof(result_path), "%s/result", cwd);
	snprintf(ready_path, sizeof(ready_path), "%s/ready", cwd);
	sigset_t set = stop_set();
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static int open_result(void)
{
	return open(result_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
}

int zdtm_hold_result(void)
{
	held_result = open_result();
	zdtm_assert(held_result >= 0);
	return held_result;
}

/* One write, so that lines of several processes do not mix. */
static void result_line(const char *line, size_t len)
{
	int fd = held_result >= 0 ? held_result : open_result();
	if (fd < 0 || write(fd, line, len) != (ssize_t)len)
		fprintf(stderr, "zdtm: %s: %.*s", result_path, (int)len, line);
	if (fd >= 0 && fd != held_result)
		close(fd);
}

_Noreturn __attribute__((format(printf, 3, 0))) static void end_with(int status, const char *word,
								     const char *fmt, va_list args)
{
	char line[1024];
	int prefix = snprintf(line, sizeof(line), "%s: ", word);
	int n = vsnprintf(line + prefix, sizeof(line) - (size_t)prefix - 1, fmt, args);
	size_t len = (size_t)prefix + (n < 0 ? 0 : (size_t)n);
	if (len > sizeof(line) - 2)
		len = sizeof(line) - 2;
	line[len++] = '\n';
	result_line(line, len);
	_exit(status);
}

_Noreturn void zdtm_pass(void)
{
	result_line("pass\n", sizeof("pass\n") - 1);
	_exit(EXIT_PASS);
}

_Noreturn void zdtm_fail(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	end_with(EXIT_FAIL, "fail", fmt, args);
}

_Noreturn void zdtm_skip(const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	end_with(EXIT_SKIP, "skip", fmt, args);
}

void zdtm_tell_ready(void)
{
	if (held_result >= 0)
		result_line("ready\n", sizeof("ready\n") - 1);
	else if (mkdir(ready_path, 0777))
		zdtm_fail("mkdir '%s': %m", ready_path);
}

void zdtm_wait(void)
{
	sigset_t set = stop_set();
	while (sigwaitinfo(&set, NULL) != SIGTERM)
		if (errno != EINTR)
			zdtm_fail("sigwaitinfo: %m");
}

void zdtm_ready(void)
{
	zdtm_tell_ready();
	zdtm_wait();
}

static void on_stop(int sig)
{
	(void)sig;
	zdtm_stop = 1;
}

void zdtm_start(void)
{
	struct sigaction action = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	zdtm_assert(!sigaction(SIGTERM, &action, NULL));
	sigset_t set = stop_set();
	zdtm_tell_ready();
	zdtm_assert(!pthread_sigmask(SIG_UNBLOCK, &set, NULL));
}

/* ---- children ---- */

/* In the child: keeps the write end of @report for zdtm_child_ready(), and runs @fn. */
_Noreturn static void child_run(const int *report, int (*fn)(void *arg), void *arg)
{
	close(report[0]);
	if (child_report >= 0)
		close(child_report);
	child_report = report[1];
	_exit(fn(arg));
}

/* In the parent: waits for zdtm_child_ready() or the child's death. */
static void child_await(const int *report)
{
	close(report[1]);
	char byte;
	while (read(report[0], &byte, 1) < 0)
		zdtm_assert(errno == EINTR);
	close(report[0]);
}

pid_t zdtm_spawn(int (*fn)(void *arg), void *arg)
{
	int report[2];
	zdtm_assert(!pipe2(report, O_CLOEXEC));
	pid_t pid = fork();
	zdtm_assert(pid >= 0);
	if (pid == 0)
		child_run(report, fn, arg);
	child_await(report);
	return pid;
}

pid_t zdtm_spawn_orphan(void (*parent_does)(void), int (*fn)(void *arg), void *arg)
{
	int report[2], told[2];
	zdtm_assert(!pipe2(report, O_CLOEXEC) && !pipe2(told, O_CLOEXEC));
	pid_t between = fork(), pid = 0;
	zdtm_assert(between >= 0);
	if (between == 0) {
		parent_does();
		pid_t parent = getpid();
		pid = fork();
		zdtm_assert(pid >= 0);
		if (pid == 0) {
			while (!kill(parent, 0)) /* until it has been reaped */
				zdtm_sleep_ms(1);
			close(told[0]);
			close(told[1]);
			child_run(report, fn, arg);
		}
		_exit(write(told[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	zdtm_assert(read(told[0], &pid, sizeof(pid)) == sizeof(pid));
	close(told[0]);
	close(told[1]);
	zdtm_assert(waitpid(between, NULL, 0) == between);
	child_await(report);
	return pid;
}

void zdtm_child_ready(void)
{
	/* The parent reads the end of file: what it sees of the child from then on has no pipe. */
	zdtm_assert(!close(child_report));
	child_report = -1;
}

void zdtm_child_wait(void)
{
	zdtm_child_ready();
	zdtm_wait();
}

void zdtm_join(pid_t pid)
{
	if (kill(pid, SIGTERM))
		zdtm_fail("kill child %d: %m", pid);
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			zdtm_fail("wait for child %d: %m", pid);
	if (status)
		zdtm_fail("child %d ended with wait status 0x%x", pid, (unsigned int)status);
}

int zdtm_child_stays(void *unused)
{
	(void)unused;
	struct zdtm_ids before = zdtm_ids_get();
	zdtm_child_wait();
	zdtm_ids_check(&before);
	return 0;
}

struct zdtm_ids zdtm_ids_get(void)
{
	return (struct zdtm_ids){
		.pid = getpid(),
		.tid = gettid(),
		.ppid = getppid(),
		.sid = getsid(0),
		.pgid = getpgrp(),
	};
}

void zdtm_ids_check(const struct zdtm_ids *before)
{
	struct zdtm_ids now = zdtm_ids_get();
	if (memcmp(&now, before, sizeof(now)))
		zdtm_fail("pid %d tid %d parent %d session %d group %d, before %d %d %d %d %d",
			  now.pid, now.tid, now.ppid, now.sid, now.pgid, before->pid, before->tid,
			  before->ppid, before->sid, before->pgid);
}

/* ---- looking at things ---- */

uint64_t zdtm_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void zdtm_sleep_ms(unsigned int ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

size_t zdtm_read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		zdtm_fail("open '%s': %m", path);
	size_t len = 0;
	ssize_t n;
	while ((n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		zdtm_fail("read '%s': %m", path);
	close(fd);
	buf[len] = 0;
	return len;
}

void zdtm_status(pid_t pid, const char *key, char *buf, size_t size)
{
	char path[64], text[8192];
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	zdtm_read_file(path, text, sizeof(text));
	size_t key_len = strlen(key);
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, key_len) || line[key_len] != ':')
			continue;
		line += key_len + 1;
		line += strspn(line, " \t");
		size_t len = strcspn(line, "\n");
		while (len && (line[len - 1] == ' ' || line[len - 1] == '\t'))
			len--;
		zdtm_assert(len < size);
		memcpy(buf, line, len);
		buf[len] = 0;
		return;
	}
	zdtm_fail("%s: no line '%s'", path, key);
}

/* The text of /proc/@pid/stat after the command name, which may hold anything; NULL when gone. */
static const char *stat_fields(pid_t pid, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return NULL;
	buf[n] = 0;
	char *paren = strrchr(buf, ')');
	return paren && paren[1] == ' ' ? paren + 2 : NULL;
}

char zdtm_task_state(pid_t pid)
{
	char buf[1024];
	const char *fields = stat_fields(pid, buf, sizeof(buf));
	return fields ? *fields : 0;
}

void zdtm_await_state(pid_t pid, char state)
{
	uint64_t until = zdtm_now_ms() + 10000;
	while (zdtm_task_state(pid) != state) {
		if (zdtm_now_ms() > until)
			zdtm_fail("task %d is in state '%c', not '%c'", pid, zdtm_task_state(pid),
				  state);
		zdtm_sleep_ms(1);
	}
}

uint64_t zdtm_born_ms(pid_t pid)
{
	enum { STATE_FIELD = 3, START_FIELD = 22 };
	char buf[1024];
	const char *field = stat_fields(pid, buf, sizeof(buf));
	for (int i = STATE_FIELD; field && i < START_FIELD; i++) {
		field = strchr(field, ' ');
		field += field != NULL;
	}
	zdtm_assert(field);
	uint64_t ticks = 0;
	for (; *field >= '0' && *field <= '9'; field++)
		ticks = ticks * 10 + (uint64_t)(*field - '0');
	/* The field counts CLOCK_BOOTTIME, which differs from CLOCK_MONOTONIC by time in suspend.
	 */
	struct timespec boot;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	uint64_t boot_ms = (uint64_t)boot.tv_sec * 1000 + (uint64_t)boot.tv_nsec / 1000000;
	return ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK) + zdtm_now_ms() - boot_ms;
}
