/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine that an image is of.
 */
#ifndef CRIB_IMAGE_MACHINE_H
#define CRIB_IMAGE_MACHINE_H

#include "model/snapshot.h"

/* core_entry.march of this build. */
CoreEntry__March machine_march(void);

/* "x86_64"; "march 77" for what is not known. The text lives in @buf or is constant. */
const char *machine_name(uint32_t march, char *buf, size_t size);

#endif /* CRIB_IMAGE_MACHINE_H */
