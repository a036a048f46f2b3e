// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/PID/stat, see procstat.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "target/procstat.h"

/* The numbers behind the state letter, by their number in proc(5). */
enum field {
	F_FIRST = 4,
	F_PPID = F_FIRST,
	F_PGRP = 5,
	F_SESSION = 6,
	F_TTY = 7,
	F_TPGID = 8,
	F_FLAGS = 9,
	F_NICE = 19,
	F_NUM_THREADS = 20,
	F_STARTTIME = 22,
	F_STARTCODE = 26,
	F_ENDCODE = 27,
	F_STARTSTACK = 28,
	F_EXIT_SIGNAL = 38,
	F_START_DATA = 45,
	F_END_DATA = 46,
	F_START_BRK = 47,
	F_ARG_START = 48,
	F_ARG_END = 49,
	F_ENV_START = 50,
	F_ENV_END = 51,
	F_EXIT_CODE = 52,
	F_COUNT,
};

/* Signed and unsigned fields alike, as 64 bits. */
static int scan_fields(const char *p, uint64_t *field, struct err *err)
{
	for (int i = F_FIRST; i < F_COUNT; i++) {
		int64_t negative;

		scan_blanks(&p);
		if (*p == '-' && scan_i64(&p, &negative))
			field[i] = (uint64_t)negative;
		else if (!scan_u64(&p, &field[i]))
			return err_set(err, -EBADMSG, "stat: field %d is no number", i);
	}
	return 0;
}

/* Fields that are 32 bits wide in the kernel. */
static int take_narrow(const uint64_t *field, struct procstat *stat, struct err *err)
{
	static const uint8_t narrow[] = {
		F_PPID,  F_PGRP, F_SESSION,     F_TTY,         F_TPGID,
		F_FLAGS, F_NICE, F_NUM_THREADS, F_EXIT_SIGNAL, F_EXIT_CODE
	};

	for (size_t i = 0; i < ARRAY_SIZE(narrow); i++) {
		int64_t value = (int64_t)field[narrow[i]];

		if (value < INT32_MIN || value > (int64_t)UINT32_MAX)
			return err_set(err, -EBADMSG, "stat: field %d is out of range", narrow[i]);
	}
	stat->ppid = (int32_t)field[F_PPID];
	stat->pgid = (int32_t)field[F_PGRP];
	stat->sid = (int32_t)field[F_SESSION];
	stat->tty = (uint32_t)field[F_TTY];
	stat->tty_pgrp = (int32_t)field[F_TPGID];
	stat->flags = (uint32_t)field[F_FLAGS];
	stat->nice = (int32_t)field[F_NICE];
	stat->nr_threads = (uint32_t)field[F_NUM_THREADS];
	stat->exit_signal = (int32_t)field[F_EXIT_SIGNAL];
	stat->exit_code = (uint32_t)field[F_EXIT_CODE];
	return 0;
}

int procstat_parse(const char *text, struct procstat *ret_stat, struct err *err)
{
	struct procstat stat = { 0 };
	uint64_t field[F_COUNT] = { 0 }, pid;
	const char *p = text;

	/* The name may hold blanks and parentheses: it ends at the last one. */
	const char *end = strrchr(text, ')');
	if (!scan_u64(&p, &pid) || pid == 0 || pid > INT32_MAX || !scan_str(&p, " (") || !end ||
	    end < p)
		return err_set(err, -EBADMSG, "stat: does not begin with a pid and a name");
	size_t len = (size_t)(end - p);
	/* Names of kernel threads may be longer than the field of 15 bytes. */
	memcpy(stat.comm, p, len < sizeof(stat.comm) ? len : sizeof(stat.comm) - 1);
	p = end + 1;
	if (*p != ' ' || p[1] < 'A' || p[1] > 'z')
		return err_set(err, -EBADMSG, "stat: no state letter");
	stat.pid = (int32_t)pid;
	stat.state = p[1];

	int ret = scan_fields(p + 2, field, err);
	if (ret == 0)
		ret = take_narrow(field, &stat, err);
	if (ret < 0)
		return ret;
	stat.start_ticks = field[F_STARTTIME];
	stat.start_code = field[F_STARTCODE];
	stat.end_code = field[F_ENDCODE];
	stat.start_data = field[F_START_DATA];
	stat.end_data = field[F_END_DATA];
	stat.start_stack = field[F_STARTSTACK];
	stat.start_brk = field[F_START_BRK];
	stat.arg_start = field[F_ARG_START];
	stat.arg_end = field[F_ARG_END];
	stat.env_start = field[F_ENV_START];
	stat.env_end = field[F_ENV_END];
	*ret_stat = stat;
	return 0;
}

int procstat_read(pid_t pid, pid_t tid, struct procstat *ret_stat, struct err *err)
{
	char path[64], text[2048];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(err, -ESRCH, "task %d: no such process", tid);
	if (fd < 0)
		return err_sys(err, "open '%s'", path);
	ssize_t len = io_read(fd, text, sizeof(text) - 1);
	if (len == -ESRCH)
		return err_set(err, -ESRCH, "task %d: no such process", tid);
	if (len < 0)
		return err_ret(err, (int)len, "read '%s'", path);
	text[len] = '\0';
	return err_wrap(err, procstat_parse(text, ret_stat, err), "task %d", tid);
}
