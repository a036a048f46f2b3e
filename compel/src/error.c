/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Errors of compel, and the ptrace call that makes most of them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>

#include "internal.h"

static size_t error_format(struct compel_error *err, int ret, const char *fmt, va_list args)
{
	err->code = ret;
	int len = vsnprintf(err->text, sizeof(err->text), fmt, args);

	if (len < 0) {
		err->text[0] = '\0';
		return 0;
	}
	return (size_t)len < sizeof(err->text) ? (size_t)len : sizeof(err->text) - 1;
}

int compel_fail(struct compel_error *err, int ret, const char *fmt, ...)
{
	if (err) {
		va_list args;

		va_start(args, fmt);
		error_format(err, ret, fmt, args);
		va_end(args);
	}
	return ret;
}

int compel_fail_errno(struct compel_error *err, int ret, const char *fmt, ...)
{
	if (err) {
		va_list args;

		va_start(args, fmt);
		size_t len = error_format(err, ret, fmt, args);
		va_end(args);
		snprintf(err->text + len, sizeof(err->text) - len, ": %s", strerror(-ret));
	}
	return ret;
}

long compel_ptrace(int request, pid_t tid, void *addr, void *data)
{
	long ret = ptrace(request, tid, addr, data);

	return ret < 0 ? -errno : ret;
}

int compel_ptrace_named(int request, const char *name, pid_t tid, void *addr, void *data,
			struct compel_error *err)
{
	long ret = compel_ptrace(request, tid, addr, data);

	if (ret < 0)
		return compel_fail_errno(err, (int)ret, "%s of thread %d", name, tid);
	return (int)ret;
}
