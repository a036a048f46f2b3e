/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * crib-checksums.img: which files an image has, and what their bytes must sum up to.
 */
#ifndef CRIB_IMAGE_CHECKSUMS_H
#define CRIB_IMAGE_CHECKSUMS_H

#include "base/arena.h"
#include "base/err.h"
#include "image/store.h"

#include "crib-checksums.pb-c.h"

struct checksums {
	CribChecksumsEntry *entry; /* files in the order of names */
};

/* Writes the file for all complete parts of @dir. 0 or -errno. */
int checksums_save(struct image_dir *dir, struct err *err);

/*
 * 1: *@ret_sums is in memory of @arena; 0: there is no list, because criu made the image or
 * somebody took it away; -EBADMSG or another -errno.
 */
int checksums_load(int dirfd, struct arena *arena, struct checksums *ret_sums, struct err *err);

/* NULL: the file is not of this image. */
const CribChecksumEntry *checksums_find(const struct checksums *sums, const char *name);

/* Compares what was read of a file. 0 or -EBADMSG. */
int checksums_check(const struct checksums *sums, const char *name, uint64_t size, uint32_t crc,
		    struct err *err);

/* Every file that is listed is there and has its size. 0, -EBADMSG or another -errno. */
int checksums_check_sizes(const struct checksums *sums, int dirfd, struct err *err);

#endif /* CRIB_IMAGE_CHECKSUMS_H */
