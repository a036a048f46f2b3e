// SPDX-License-Identifier: GPL-2.0-only
/*
 * Error descriptions, see err.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

int err_set(struct err *err, int ret, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return ret;
	err->code = ret;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return ret;
}

/* Appends as much of @str as there is room for. */
static void append(struct err *err, const char *str)
{
	size_t len = strlen(err->text);
	size_t more = strnlen(str, sizeof(err->text) - len - 1);

	memcpy(err->text + len, str, more);
	err->text[len + more] = '\0';
}

static void append_errno(struct err *err, int ret)
{
	append(err, ": ");
	append(err, strerror(-ret));
}

int err_sys(struct err *err, const char *fmt, ...)
{
	int ret = errno ? -errno : -EIO;
	va_list ap;

	if (!err)
		return ret;
	err->code = ret;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	append_errno(err, ret);
	return ret;
}

int err_ret(struct err *err, int ret, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return ret;
	err->code = ret;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	append_errno(err, ret);
	return ret;
}

int err_wrap(struct err *err, int ret, const char *fmt, ...)
{
	char inner[sizeof(err->text)];
	va_list ap;

	if (!err || ret >= 0)
		return ret;
	memcpy(inner, err->text, sizeof(inner));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	append(err, ": ");
	append(err, inner);
	if (!err->code)
		err->code = ret;
	return ret;
}
