/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log. Lines look like criu's: "(00.001234) Error (file.c:12): text", seconds since log_open();
 * without the time below -v3.
 * One write(2) per line, so lines of several processes do not mix. Only cli, service, dump.c,
 * restore.c and actor.c log above debug; the rest returns errors.
 */
#ifndef CRIB_BASE_LOG_H
#define CRIB_BASE_LOG_H

#include <stddef.h>

#include "crib/compiler.h"

enum log_level {
	LOG_MSG, /* always printed, bare, to standard output: what was asked for */
	LOG_ERROR,
	LOG_WARN, /* what -v0 .. -v1 leave out; the default prints up to here */
	LOG_INFO,
	LOG_DEBUG,
};

/* Sends the log to @fd_take from now on and restarts its clock; -1: to standard error. */
void log_open(int fd_take, enum log_level level);
void log_close(void);
enum log_level log_level(void);
/* The descriptor that lines go to. Borrowed. */
int log_fd(void);
/* Moves the log's descriptor to @fd or above, out of the way of a restored task's descriptors. */
int log_move_fd(int fd);

/*
 * A log that is a pipe or a terminal and takes nothing for @ms milliseconds gets no more lines from
 * this process; -1: they wait, as in the beginning.
 */
void log_set_patience(int ms);

/* Writes @text as it is to @fd, with the log's patience. */
void log_write(int fd, const char *text, size_t len);

/* "%6d: " in front of every line of this process; 0: none. Restored tasks set their pid. */
void log_set_pid(int pid);

void log_print(enum log_level level, const char *file, int line, const char *fmt, ...)
	__printf_like(4, 5);

#define log_at(level, ...) log_print(level, __FILE__, __LINE__, __VA_ARGS__)
#define log_error(...)     log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)      log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)      log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...)                                                                             \
	do {                                                                                       \
		if (log_level() >= LOG_DEBUG)                                                      \
			log_at(LOG_DEBUG, __VA_ARGS__);                                            \
	} while (0)

#endif /* CRIB_BASE_LOG_H */
