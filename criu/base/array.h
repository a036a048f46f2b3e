/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A growing array in an arena: ARRAY(int) numbers; *array_push(&arena, &numbers) = 3;
 * Elements move when the array grows: arrays whose elements are pointed to hold pointers.
 */
#ifndef CRIB_BASE_ARRAY_H
#define CRIB_BASE_ARRAY_H

#include <string.h>

#include "base/arena.h"

#define ARRAY(type)                                                                                \
	struct {                                                                                   \
		type *v;                                                                           \
		size_t n;                                                                          \
		size_t cap;                                                                        \
	}

static inline void *array_grow(struct arena *arena, void *old, size_t n, size_t *cap, size_t size)
{
	*cap = *cap ? *cap * 2 : 8;
	void *bigger = arena_alloc(arena, *cap * size);

	if (n)
		memcpy(bigger, old, n * size);
	return bigger;
}

/* Appends a zeroed element and returns its address, good until the next push. */
#define array_push(arena, arr)                                                                     \
	({                                                                                         \
		__typeof__(arr) __arr = (arr);                                                     \
		if (__arr->n == __arr->cap)                                                        \
			__arr->v = array_grow(arena, __arr->v, __arr->n, &__arr->cap,              \
					      sizeof(*__arr->v));                                  \
		memset(&__arr->v[__arr->n], 0, sizeof(*__arr->v));                                 \
		&__arr->v[__arr->n++];                                                             \
	})

/* for (each element by address): array_each(struct vma, vma, &mm->vmas) */
#define array_each(type, it, arr) for (type *it = (arr)->v; it && it < (arr)->v + (arr)->n; it++)

#endif /* CRIB_BASE_ARRAY_H */
