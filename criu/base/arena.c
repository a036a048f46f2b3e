// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arena allocation, see arena.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

enum { BLOCK_SIZE = 64 * 1024, ALIGNMENT = 16 };

struct arena_block {
	struct arena_block *prev;
	size_t size;
	size_t used;
	_Alignas(ALIGNMENT) char data[];
};

void *xzalloc(size_t size)
{
	void *ptr = calloc(1, size ? size : 1);

	if (!ptr)
		abort();
	return ptr;
}

void *xrealloc(void *ptr_take, size_t size)
{
	void *ptr = realloc(ptr_take, size ? size : 1);

	if (!ptr)
		abort();
	return ptr;
}

char *xstrdup(const char *str)
{
	char *copy = strdup(str);

	if (!copy)
		abort();
	return copy;
}

void arena_fini(struct arena *arena)
{
	while (arena->last) {
		struct arena_block *prev = arena->last->prev;

		free(arena->last);
		arena->last = prev;
	}
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size = ALIGN_UP(size ? size : 1, (size_t)ALIGNMENT);
	struct arena_block *block = arena->last;

	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		block = xzalloc(sizeof(*block) + room);
		block->size = room;
		block->prev = arena->last;
		arena->last = block;
	}
	void *ptr = block->data + block->used;
	block->used += size;
	return ptr;
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size);

	if (size)
		memcpy(copy, data, size);
	return copy;
}

char *arena_strndup(struct arena *arena, const char *str, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, str, len);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *str)
{
	return arena_strndup(arena, str, strlen(str));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *str = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(str, (size_t)len + 1, fmt, again);
	va_end(again);
	return str;
}
