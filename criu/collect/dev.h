/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device numbers as records carry them: the kernel's own 32-bit dev_t, widened.
 */
#ifndef CRIB_COLLECT_DEV_H
#define CRIB_COLLECT_DEV_H

#include <stdint.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#define REC_DEV_MINOR_BITS 20

static inline uint64_t rec_dev(uint32_t major, uint32_t minor)
{
	return (uint64_t)(major << REC_DEV_MINOR_BITS | minor);
}

/* st_dev and st_rdev of stat(2). */
static inline uint64_t rec_dev_from_stat(dev_t dev)
{
	return rec_dev(major(dev), minor(dev));
}

static inline dev_t rec_dev_to_stat(uint64_t dev)
{
	return makedev((unsigned int)(dev >> REC_DEV_MINOR_BITS),
		       (unsigned int)dev & ((1U << REC_DEV_MINOR_BITS) - 1));
}

/* The 32 bits in which /proc and the image name a device: new_encode_dev() of the kernel. */
static inline uint32_t rec_dev_to_stat32(uint64_t dev)
{
	uint32_t high = (uint32_t)(dev >> REC_DEV_MINOR_BITS);
	uint32_t low = (uint32_t)dev & ((1U << REC_DEV_MINOR_BITS) - 1);

	return (low & 0xff) | high << 8 | (low & ~0xffU) << 12;
}

#endif /* CRIB_COLLECT_DEV_H */
