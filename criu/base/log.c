// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log sink: the only mutable file-scope variable of the tool.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

static struct {
	int fd;
	enum log_level level;
	int pid;
	int patience_ms; /* -1: no end of it */
	bool stuck;      /* it has come to an end */
	struct timespec start;
} sink = { .fd = STDERR_FILENO, .level = LOG_WARN, .patience_ms = -1 };

void log_open(int fd_take, enum log_level level)
{
	log_close();
	sink.fd = fd_take >= 0 ? fd_take : STDERR_FILENO;
	sink.level = level;
	clock_gettime(CLOCK_MONOTONIC, &sink.start);
}

void log_close(void)
{
	if (sink.fd > STDERR_FILENO)
		close(sink.fd);
	sink.fd = STDERR_FILENO;
}

enum log_level log_level(void)
{
	return sink.level;
}

int log_fd(void)
{
	return sink.fd;
}

int log_move_fd(int fd)
{
	int moved = fcntl(sink.fd, F_DUPFD_CLOEXEC, fd);

	if (moved < 0)
		return -errno;
	if (sink.fd > STDERR_FILENO)
		close(sink.fd);
	sink.fd = moved;
	return 0;
}

void log_set_pid(int pid)
{
	sink.pid = pid;
}

void log_set_patience(int ms)
{
	sink.patience_ms = ms;
}

void log_write(int fd, const char *text, size_t len)
{
	struct pollfd room = { .fd = fd, .events = POLLOUT };

	if (sink.patience_ms >= 0 && !sink.stuck)
		sink.stuck = poll(&room, 1, sink.patience_ms) == 0;
	if (sink.stuck)
		return;
	if (write(fd, text, len) < 0) {
		/* a log that cannot be written must not stop the work */
	}
}

static size_t format_prefix(char *buf, size_t size, enum log_level level, const char *file,
			    int line)
{
	struct timespec now;
	int len = 0;

	if (level == LOG_MSG)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	long us = (now.tv_sec - sink.start.tv_sec) * 1000000L +
		  (now.tv_nsec - sink.start.tv_nsec) / 1000;
	if (sink.level >= LOG_INFO) /* as criu does */
		len = snprintf(buf, size, "(%02ld.%06ld) ", us / 1000000, us % 1000000);
	if (sink.pid)
		len += snprintf(buf + len, size - len, "%6d: ", sink.pid);
	if (level == LOG_ERROR)
		len += snprintf(buf + len, size - len, "Error (%s:%d): ", file, line);
	else if (level == LOG_WARN)
		len += snprintf(buf + len, size - len, "Warn  (%s:%d): ", file, line);
	return (size_t)len;
}

void log_print(enum log_level level, const char *file, int line, const char *fmt, ...)
{
	char buf[1024];
	int saved = errno;
	va_list ap;

	if (level > sink.level)
		return;
	size_t len = format_prefix(buf, sizeof(buf) - 1, level, file, line);
	va_start(ap, fmt);
	int n = vsnprintf(buf + len, sizeof(buf) - 1 - len, fmt, ap);
	va_end(ap);
	if (n > 0)
		len += (size_t)n < sizeof(buf) - 1 - len ? (size_t)n : sizeof(buf) - 2 - len;
	buf[len++] = '\n';
	log_write(level == LOG_MSG ? STDOUT_FILENO : sink.fd, buf, len);
	errno = saved;
}
