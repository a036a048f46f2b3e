/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bringing the parts of an image to the disk.
 */
#ifndef CRIB_IMAGE_SYNC_H
#define CRIB_IMAGE_SYNC_H

#include "image/store.h"

/*
 * Waits until the contents of all complete parts are on the disk, and on most file systems all that
 * is needed to find them again. 0 or -errno.
 */
int image_sync_parts(struct image_dir *dir, struct err *err);

/*
 * The rest: when it returns, all parts would survive a power cut. @last is a part that was made
 * after image_sync_parts(). 0 or -errno.
 */
int image_sync_last(struct image_dir *dir, const char *last, struct err *err);

#endif /* CRIB_IMAGE_SYNC_H */
