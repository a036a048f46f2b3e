/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An arena: memory that is given out piece by piece and freed all at once. Out of memory aborts:
 * there is nothing that a checkpoint tool could do better, and its keeper undoes what it did.
 */
#ifndef CRIB_BASE_ARENA_H
#define CRIB_BASE_ARENA_H

#include <stddef.h>

#include "crib/compiler.h"

struct arena_block;

struct arena {
	struct arena_block *last;
};

void arena_fini(struct arena *arena);

/* Zeroed memory, aligned to 16 bytes, that lives as long as the arena. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_memdup(struct arena *arena, const void *data, size_t size);
char *arena_strdup(struct arena *arena, const char *str);
char *arena_strndup(struct arena *arena, const char *str, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) __printf_like(2, 3);

#define ARENA_NEW(arena, type)      ((type *)arena_alloc(arena, sizeof(type)))
#define ARENA_ARRAY(arena, type, n) ((type *)arena_alloc(arena, sizeof(type) * (size_t)(n)))

/* malloc family that aborts when out of memory; for what has a lifetime of its own. */
void *xzalloc(size_t size);
void *xrealloc(void *ptr_take, size_t size);
char *xstrdup(const char *str);

#endif /* CRIB_BASE_ARENA_H */
