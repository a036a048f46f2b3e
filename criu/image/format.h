/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers of the format that no message file has.
 */
#ifndef CRIB_IMAGE_FORMAT_H
#define CRIB_IMAGE_FORMAT_H

/* inventory_entry.img_version: files have a common magic number. */
enum { IMAGE_VERSION = 2 };

/* pagemap_entry.flags */
enum {
	PE_PARENT = 1 << 0,
	PE_LAZY = 1 << 1,
	PE_PRESENT = 1 << 2,
};

#endif /* CRIB_IMAGE_FORMAT_H */
