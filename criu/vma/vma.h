/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kinds of mappings: what a collected mapping becomes in the snapshot.
 */
#ifndef CRIB_VMA_VMA_H
#define CRIB_VMA_VMA_H

#include "base/err.h"
#include "crib/records.h"
#include "model/snapshot.h"

/*
 * Fills @vma from @rec except file, shmem and shmid.
 * 0, or -ENOTSUP with words: a mapping that crib cannot bring back.
 */
int vma_from_record(const struct rec_vma *rec, struct vma *vma, struct err *err);

/* True for mappings of a file that needs an entry in files.img. */
bool vma_has_file(const struct vma *vma);

/* True when the pages of its own (anonymous or copied on write) go into the image. */
bool vma_has_private_pages(const struct vma *vma);

#endif /* CRIB_VMA_VMA_H */
