/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a file of an image is framed: magic numbers, then messages behind their lengths, and here and
 * there other bytes. See images/inventory.proto.
 */
#ifndef CRIB_IMAGE_FRAME_H
#define CRIB_IMAGE_FRAME_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "image/store.h"

struct checksums;

/* Appends a message behind its length. @msg is any protobuf-c message. 0 or -errno. */
int frame_write(struct image_part *part, const void *msg, struct err *err);

/* One file that is being read; it is wholly in memory. */
struct frame_reader {
	char name[IMAGE_NAME_MAX];
	uint8_t *data; /* owned */
	size_t size;
	size_t pos; /* of what is read next */
};

/*
 * Reads a file and checks its magic numbers and, unless @sums is NULL, its checksum. With @sums, a
 * file that is not listed there is not of this image, even if it is in the directory.
 * 0; -ENOENT: there is no such file, described too; -EBADMSG or another -errno.
 */
int frame_open(struct frame_reader *reader, int dirfd, enum image_kind kind, uint64_t id,
	       const struct checksums *sums, struct err *err);

/* The same where there need not be such a file: 1; 0: there is none, @err is untouched; -errno. */
int frame_open_optional(struct frame_reader *reader, int dirfd, enum image_kind kind, uint64_t id,
			const struct checksums *sums, struct err *err);

/*
 * The same for the beginning of a file whose messages are followed by much else. Its checksum is
 * not looked at. *@ret_fd is the file, the caller's. 0 or -errno.
 */
int frame_open_head(struct frame_reader *reader, int dirfd, enum image_kind kind, uint64_t id,
		    int *ret_fd, struct err *err);

/*
 * The next message, in memory of @arena; lengths of strings and values of enums have been checked.
 * 1; 0 at the end of the file, *@ret_msg is untouched; -EBADMSG.
 */
int frame_read(struct frame_reader *reader, const ProtobufCMessageDescriptor *type,
	       struct arena *arena, void *ret_msg, struct err *err);

/* Other bytes, in memory of the reader. 0 or -EBADMSG. */
int frame_read_bytes(struct frame_reader *reader, uint64_t size, const void **ret_data,
		     struct err *err);

/* Fine on a zeroed struct. */
void frame_close(struct frame_reader *reader);

#define _cleanup_frame_ __attribute__((cleanup(frame_close)))

#endif /* CRIB_IMAGE_FRAME_H */
