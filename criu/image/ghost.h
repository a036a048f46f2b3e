/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ghost-file-%x.img: a deleted file with its contents, holes kept.
 */
#ifndef CRIB_IMAGE_GHOST_H
#define CRIB_IMAGE_GHOST_H

#include "image/store.h"
#include "model/snapshot.h"

/* Writes the part of @ghost, whose contents are read from ghost->fd. 0 or -errno. */
int ghost_save(const struct ghost *ghost, struct image_dir *dir, struct err *err);

/* Reads all but the contents. 0 or -errno. */
int ghost_load(int dirfd, struct arena *arena, struct ghost *ghost, struct err *err);

#endif /* CRIB_IMAGE_GHOST_H */
