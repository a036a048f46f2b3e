/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A growing buffer of bytes, always followed by a NUL so that text can be read as a string.
 */
#ifndef CRIB_BASE_STRBUF_H
#define CRIB_BASE_STRBUF_H

#include <stddef.h>

#include "crib/compiler.h"

struct strbuf {
	char *data; /* NULL until first used; owned */
	size_t len; /* without the NUL */
	size_t cap;
};

void strbuf_fini(struct strbuf *buf);
static inline void strbuf_reset(struct strbuf *buf)
{
	buf->len = 0;
	if (buf->data)
		buf->data[0] = '\0';
}

/* Makes room for @more further bytes and returns where they go. */
char *strbuf_reserve(struct strbuf *buf, size_t more);
void strbuf_add(struct strbuf *buf, const void *data, size_t len);
void strbuf_puts(struct strbuf *buf, const char *str);
void strbuf_printf(struct strbuf *buf, const char *fmt, ...) __printf_like(2, 3);
const char *strbuf_str(const struct strbuf *buf); /* never NULL */

#define _cleanup_strbuf_ __attribute__((cleanup(strbuf_fini)))

#endif /* CRIB_BASE_STRBUF_H */
