/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pump: copies ranges of a stopped task's memory, or of shared memory, into one pages file.
 * Large amounts are cut into segments that several threads read, checksum and write at their places.
 */
#ifndef CRIB_MEM_PUMP_H
#define CRIB_MEM_PUMP_H

#include "base/progress.h"
#include "image/store.h"
#include "model/snapshot.h"

/* Where contents come from. */
struct pump_source {
	pid_t pid; /* memory of this task; range addresses are its own */
	int fd;    /* or, when >= 0, a file: range addresses are offsets. Borrowed */
};

/*
 * Appends the contents of @ranges (those that are guards or shared_with another task are passed
 * over) to @part and sets their img_off. 0 or -errno.
 */
int pump_ranges(const struct pump_source *source, struct page_range *ranges, size_t n,
		uint32_t page_size, struct image_part *part, struct progress *progress,
		struct err *err);

#endif /* CRIB_MEM_PUMP_H */
