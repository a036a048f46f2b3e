/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The build id of an ELF file: a note that the linker makes of its contents (ld(1), --build-id).
 * Two files with the same one are the same program or library.
 */
#ifndef CRIB_FD_BUILDID_H
#define CRIB_FD_BUILDID_H

#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/* Longest one that is looked at; linkers make 16 or 20 bytes. */
enum { BUILDID_MAX = 64 };

/*
 * Reads it from @fd, which is open for reading, without moving its position.
 * Its length in bytes, 0: none, also of what is no ELF file of this byte order, or is damaged.
 */
size_t buildid_read(int fd, uint8_t ret_id[BUILDID_MAX]);

/* Dump: puts it into reg->build_id, if there is one. */
void buildid_extract(struct snapshot *snap, RegFileEntry *reg, int fd);

/* Restore: true when @fd has the one of the image, or the image has none. */
bool buildid_is_same(const RegFileEntry *reg, int fd);

#endif /* CRIB_FD_BUILDID_H */
