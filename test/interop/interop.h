/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs here share: each of their parts looks at itself when SIGUSR1 comes and says in
 * the report file how it found itself. The file is open only while a line is written to it, so that
 * it is no part of a dump.
 */
#ifndef CRIB_INTEROP_INTEROP_H
#define CRIB_INTEROP_INTEROP_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Appends one line to the file @path. */
__attribute__((format(printf, 2, 3))) static inline void report(const char *path, const char *fmt,
								...)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		_exit(1);
	va_list ap;
	va_start(ap, fmt);
	vdprintf(fd, fmt, ap);
	va_end(ap);
	close(fd);
}

#define report_state(path, part, fine) report(path, "%s %s\n", (fine) ? "ok" : "wrong", part)

static inline _Noreturn void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static inline void sleep_ms(long ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

/* Takes SIGUSR1 as a word to look at, in whatever the program does. */
static volatile sig_atomic_t asked;

static inline void on_ask(int sig)
{
	(void)sig;
	asked = 1;
}

static inline void catch_ask(void)
{
	struct sigaction act = { .sa_handler = on_ask, .sa_flags = SA_RESTART };
	if (sigaction(SIGUSR1, &act, NULL) < 0)
		die("sigaction");
}

static inline bool was_asked(void)
{
	bool yes = asked;
	asked = 0;
	return yes;
}

#endif
