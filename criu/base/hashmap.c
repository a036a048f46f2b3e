// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hash map, see hashmap.h.
 */
#include <stdlib.h>

#include "base/arena.h"
#include "base/hashmap.h"

struct hashmap_slot {
	uint64_t hi, lo;
	void *value; /* NULL: empty */
};

void hashmap_fini(struct hashmap *map)
{
	free(map->slots);
	*map = (struct hashmap){ 0 };
}

/* The finalizer of splitmix64: every input bit reaches every output bit. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static struct hashmap_slot *find_slot(const struct hashmap *map, uint64_t hi, uint64_t lo)
{
	size_t i = mix(hi ^ mix(lo)) & (map->cap - 1);

	while (map->slots[i].value && (map->slots[i].hi != hi || map->slots[i].lo != lo))
		i = (i + 1) & (map->cap - 1);
	return &map->slots[i];
}

void *hashmap_get(const struct hashmap *map, uint64_t hi, uint64_t lo)
{
	return map->cap ? find_slot(map, hi, lo)->value : NULL;
}

static void grow(struct hashmap *map)
{
	struct hashmap bigger = { .n = map->n, .cap = map->cap ? map->cap * 2 : 64 };

	bigger.slots = xzalloc(bigger.cap * sizeof(*bigger.slots));
	for (size_t i = 0; i < map->cap; i++) {
		const struct hashmap_slot *slot = &map->slots[i];

		if (slot->value)
			*find_slot(&bigger, slot->hi, slot->lo) = *slot;
	}
	free(map->slots);
	*map = bigger;
}

void hashmap_put(struct hashmap *map, uint64_t hi, uint64_t lo, void *value)
{
	if (map->n * 2 >= map->cap)
		grow(map);
	struct hashmap_slot *slot = find_slot(map, hi, lo);
	if (!slot->value)
		map->n++;
	*slot = (struct hashmap_slot){ .hi = hi, .lo = lo, .value = value };
}
