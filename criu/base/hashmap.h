/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A map from pairs of 64-bit keys to pointers: open addressing, no removal.
 */
#ifndef CRIB_BASE_HASHMAP_H
#define CRIB_BASE_HASHMAP_H

#include <stddef.h>
#include <stdint.h>

struct hashmap_slot;

struct hashmap {
	struct hashmap_slot *slots;
	size_t n;
	size_t cap; /* a power of two, or 0 */
};

void hashmap_fini(struct hashmap *map);

/* NULL when the pair is not there. */
void *hashmap_get(const struct hashmap *map, uint64_t hi, uint64_t lo);

/* Stores @value (not NULL, borrowed) under the pair; what stood there before is replaced. */
void hashmap_put(struct hashmap *map, uint64_t hi, uint64_t lo, void *value);

#endif /* CRIB_BASE_HASHMAP_H */
