/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CRC-32C (Castagnoli), as images/crib-checksums.proto says: by the processor where it can.
 */
#ifndef CRIB_IMAGE_CRC32C_H
#define CRIB_IMAGE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of some bytes and, behind them, @size more: begin with 0 for no bytes. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The checksum of two stretches from that of each: @size2 is the length of the second. */
uint32_t crc32c_combine(uint32_t crc1, uint32_t crc2, uint64_t size2);

/* Without special instructions; for tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif /* CRIB_IMAGE_CRC32C_H */
