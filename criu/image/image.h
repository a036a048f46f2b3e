/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The snapshot as an image directory in CRIU's format, v1.1, and back. See images/inventory.proto
 * for how a file is framed.
 */
#ifndef CRIB_IMAGE_IMAGE_H
#define CRIB_IMAGE_IMAGE_H

#include <stdbool.h>

#include "image/store.h"
#include "model/snapshot.h"

#include "stats.pb-c.h"

/*
 * Saving. Page contents are not saved here: whoever pumps memory opens IMG_PAGES parts by himself,
 * before or after; mm->pages_id, mm->pages and those of shmem say where contents lie.
 */
struct image_save_opts {
	bool compat_criu; /* refuse what criu cannot read: pages shared between tasks */
};

/*
 * Writes every part that @snap has. Contents of ghosts are read from ghost->fd.
 * snap->inventory may be NULL; what it does not say (version, page size, machine) is filled in.
 * 0 or -errno.
 */
int image_save(const struct snapshot *snap, struct image_dir *dir,
	       const struct image_save_opts *opts, struct err *err);

/* Writes stats-dump or stats-restore into @dirfd, replacing an old one. 0 or -errno. */
int image_save_stats(int dirfd, enum image_kind kind, const StatsEntry *stats, struct err *err);

/* Loading. */
struct image_load_opts {
	/*
	 * inspect: what could not be restored here is loaded too: of another architecture or page
	 * size, with namespaces of its own, without the pages
	 */
	bool any_machine;
};

/*
 * Fills @snap, which is initialized and empty, from the directory @dirfd. Every message, count and
 * string is limited and checked; with crib-checksums.img, sizes of all files and checksums of all
 * but pages and ghosts too. Pages in a parent image are refused. The result has been validated.
 * 0; -ENOENT: not a complete image; -EBADMSG: damaged; -ENOTSUP: other machine or newer format.
 */
int image_load(struct snapshot *snap, int dirfd, const struct image_load_opts *opts,
	       struct err *err);

/*
 * Checks the files that image_load() did not: pages and ghosts, in @nr_threads threads (0: one for
 * each cpu). Touches nothing of a snapshot, so that it may run in a thread while a plan is built.
 * 0, also without crib-checksums.img; -EBADMSG or another -errno.
 */
int image_verify_contents(int dirfd, unsigned int nr_threads, struct err *err);

/* Opens a file of the image for reading. The descriptor is the caller's; or -errno. */
int image_open(int dirfd, enum image_kind kind, uint64_t id, struct err *err);

/*
 * Copies the contents of ghost-file-@id.img to @fd, from offset 0, holes kept; the file's size is
 * set. Does nothing for what is not a regular file. 0 or -errno.
 */
int image_copy_ghost(int dirfd, uint32_t id, int fd, struct err *err);

#endif /* CRIB_IMAGE_IMAGE_H */
