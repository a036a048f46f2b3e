/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address spaces as sets of ranges: what is taken, what is free, and where one range is put for
 * another. No system calls but in layout_read_own().
 */
#ifndef CRIB_RESTORE_LAYOUT_H
#define CRIB_RESTORE_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/err.h"

struct range {
	uint64_t start, end; /* bytes, end exclusive */
};

/* A set of addresses. Ascending and disjoint after range_set_normalize(). */
struct range_set {
	ARRAY(struct range) v;
};

void range_set_add(struct arena *arena, struct range_set *set, uint64_t start, uint64_t end);
/* Sorts, and joins what overlaps or touches. */
void range_set_normalize(struct range_set *set);
/* The same, and joins what is less than @gap bytes apart. */
void range_set_join(struct range_set *set, uint64_t gap);
bool range_set_overlaps(const struct range_set *set, uint64_t start, uint64_t end);
/* Cuts *@range down to its first part that is not in @set, which is normalized; false: none is. */
bool range_set_cut(const struct range_set *set, struct range *range);
/*
 * The lowest address in @limits where @size bytes are free, with address % @align equal to
 * @phase. @set is normalized. 0: there is none.
 */
uint64_t range_set_find_hole(const struct range_set *set, struct range limits, uint64_t size,
			     uint64_t align, uint64_t phase);

/* Where ranges are put: [start, end) lies at [at, at + end - start). Ascending, disjoint. */
struct placed_range {
	uint64_t start, end, at;
};

struct range_map {
	ARRAY(struct placed_range) v;
};

/* The entry that holds @addr, or NULL. */
const struct placed_range *range_map_find(const struct range_map *map, uint64_t addr);

enum { VVAR_MAX = 4 };

/* The mappings that the kernel gives a process and that move only as a whole. */
struct vdso_maps {
	struct range vdso;           /* end 0: there is none */
	struct range vvar[VVAR_MAX]; /* ascending */
	uint32_t nr_vvar;
};

/* This process as it is. */
struct layout {
	struct range_set taken; /* every mapping but vsyscall */
	struct vdso_maps vdso;
	uint64_t task_size; /* end of user space */
	uint64_t lowest;    /* lowest address that may be mapped */
};

int layout_read_own(struct layout *layout, struct arena *arena, struct err *err);

#endif /* CRIB_RESTORE_LAYOUT_H */
