// SPDX-License-Identifier: GPL-2.0-only
/*
 * Growing byte buffer, see strbuf.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/strbuf.h"

void strbuf_fini(struct strbuf *buf)
{
	free(buf->data);
	*buf = (struct strbuf){ 0 };
}

char *strbuf_reserve(struct strbuf *buf, size_t more)
{
	if (buf->cap < buf->len + more + 1) {
		size_t cap = buf->cap ? buf->cap : 128;

		while (cap < buf->len + more + 1)
			cap *= 2;
		buf->data = xrealloc(buf->data, cap);
		buf->cap = cap;
	}
	return buf->data + buf->len;
}

void strbuf_add(struct strbuf *buf, const void *data, size_t len)
{
	char *to = strbuf_reserve(buf, len);

	if (len)
		memcpy(to, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void strbuf_puts(struct strbuf *buf, const char *str)
{
	strbuf_add(buf, str, strlen(str));
}

void strbuf_printf(struct strbuf *buf, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (len > 0) {
		vsnprintf(strbuf_reserve(buf, (size_t)len), (size_t)len + 1, fmt, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

const char *strbuf_str(const struct strbuf *buf)
{
	return buf->data ? buf->data : "";
}
