/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors of mapped files, each file opened once for each access.
 */
#ifndef CRIB_RESTORE_MAPFILE_H
#define CRIB_RESTORE_MAPFILE_H

#include "base/array.h"
#include "base/err.h"
#include "base/hashmap.h"
#include "model/snapshot.h"

/*
 * Opens the file that @vma maps (regular file, ghost, memfd) with @flags: O_RDONLY or O_RDWR.
 * The caller owns *@ret_fd.
 */
struct vma_opener {
	int (*open)(void *ctx, const struct vma *vma, int flags, int *ret_fd, struct err *err);
	void *ctx;
};

struct mapfile {
	const struct ofd *file;
	int flags;
	int fd;
};

struct mapfiles {
	const struct vma_opener *opener; /* borrowed */
	struct arena arena;
	struct hashmap known;
	ARRAY(struct mapfile *) files; /* their descriptors are owned */
};

/* What @vma maps; NULL: anonymous memory. */
const struct ofd *mapfile_of_vma(const struct vma *vma);

/* Closes all descriptors. */
void mapfiles_fini(struct mapfiles *files);

/* The descriptor for @vma, borrowed; or -errno. */
int mapfiles_get(struct mapfiles *files, const struct vma *vma, struct err *err);

#endif /* CRIB_RESTORE_MAPFILE_H */
