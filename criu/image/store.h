/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writing an image directory: all of it appears, or nothing.
 *
 * Parts are made in a temporary folder inside the user's directory, each with its CRC-32C computed
 * as it is written. image_commit() brings them to the disk, writes crib-checksums.img and renames
 * everything into place, inventory.img last: that name is the commit. Before it, image_abort()
 * leaves nothing; after it too, for who has asked for a time to think. A dump that was killed
 * leaves its temporary folder, which the next image_create() in that directory removes.
 */
#ifndef CRIB_IMAGE_STORE_H
#define CRIB_IMAGE_STORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/err.h"
#include "image/names.h"
#include "image/writeback.h"

/* What image_commit() does so that the image survives a power cut. */
enum image_sync {
	IMAGE_SYNC_FULL,      /* all parts are on the disk before inventory.img has its name */
	IMAGE_SYNC_WRITEBACK, /* writing is begun, and not waited for */
};

/* A part that is complete. */
struct image_file {
	char name[IMAGE_NAME_MAX];
	uint64_t size;
	uint32_t crc;
};

struct image_dir {
	int dirfd;            /* the user's directory; owned */
	int tmpfd;            /* the temporary folder in it, locked with flock(2); owned */
	char tmpname[16];     /* its name */
	char *path;           /* the user's directory as given, for messages; owned */
	enum image_sync sync; /* may be set between create and commit */
	/*
	 * May be set between create and commit, borrowed: becomes 1 when names in the user's
	 * directory are of this dump, which can be taken back until image_settle() makes it 0.
	 * NULL: the commit is the end.
	 */
	int *undecided;
	bool renaming; /* names in the user's directory may be of this dump */
	bool committed;
	struct writeback writeback;
	pthread_mutex_t lock; /* of what follows: parts may be written by several threads */
	struct arena arena;
	ARRAY(struct image_file) files; /* complete parts */
};

/* One file that is being written. Plain data, used by one thread at a time. */
struct image_part {
	struct image_dir *dir; /* borrowed */
	int fd;                /* owned; -1: not open */
	char name[IMAGE_NAME_MAX];
	uint64_t size;    /* bytes written or adopted, what is buffered included */
	uint32_t crc;     /* of the bytes before the buffer */
	uint64_t started; /* bytes whose way to the disk has begun */
	uint32_t used;    /* bytes in the buffer */
	char *buf;        /* owned */
};

/*
 * Opens the directory @path, which must exist and be writable, and makes the temporary folder.
 * Nothing that is there is touched but temporary folders of dead dumps. On failure there is
 * nothing to release. 0 or -errno.
 */
int image_create(struct image_dir *dir, const char *path, struct err *err);

/*
 * Completes the image: removes the inventory.img of an older dump, renames all parts into place,
 * inventory.img last. On failure call image_abort(). 0 or -errno.
 */
int image_commit(struct image_dir *dir, struct err *err);

/* The image is wanted: it cannot be taken back any more. Does nothing without dir->undecided. */
void image_settle(struct image_dir *dir);

/*
 * Removes what was made, and nothing that is not of this dump; after a commit that failed half-way,
 * or is undecided, also the parts that were renamed already, inventory.img first. Does nothing
 * after a commit that is settled.
 */
void image_abort(struct image_dir *dir);

/* Removes the image in the directory @path, of a process that died undecided. Best effort. */
void image_remove(const char *path);

/* Releases @dir, aborting it if it was not committed. Fine on a zeroed struct. */
void image_fini(struct image_dir *dir);

/*
 * Begins the part of @kind with number @id and writes its magic numbers. Several parts may be open
 * at once. A name twice is -EEXIST. 0 or -errno.
 */
int image_part_open(struct image_part *part, struct image_dir *dir, enum image_kind kind,
		    uint64_t id, struct err *err);

/* Appends bytes. Large pieces (64 KiB and more) go straight to the file. 0 or -errno. */
int image_part_write(struct image_part *part, const void *data, size_t size, struct err *err);

/*
 * Has the file system find room for @size more bytes, so that a full disk is known before they are
 * copied; where it cannot, that is no failure. 0 or -errno.
 */
int image_part_reserve(struct image_part *part, uint64_t size, struct err *err);

/*
 * Says that @size bytes with the checksum @crc have been written behind part->size through part->fd
 * by somebody else, such as the parasite or several threads (see crc32c_combine()). Before their
 * pwrite(2), image_part_flush() has to have been called if image_part_write() has.
 */
void image_part_adopt(struct image_part *part, uint64_t size, uint32_t crc);

/* Brings what is buffered to part->fd; the file offset is then part->size. 0 or -errno. */
int image_part_flush(struct image_part *part, struct err *err);

/*
 * Ends the part. Always releases it; on failure it is removed from the image. 0 or -errno.
 */
int image_part_close(struct image_part *part, struct err *err);

/* Releases and removes a part that will not be completed. Fine when it is not open. */
void image_part_discard(struct image_part *part);

/* Describes that @call ("write") on the part's file failed with @ret. Returns @ret. */
int image_part_failed(const struct image_part *part, const char *call, int ret, struct err *err);

#endif /* CRIB_IMAGE_STORE_H */
