// SPDX-License-Identifier: GPL-2.0-only
/*
 * O_LARGEFILE as the kernel of this machine has it: its header cannot stand beside libc's.
 */
#include <linux/fcntl.h>
#include <stdint.h>

extern const uint32_t kernel_o_largefile;
const uint32_t kernel_o_largefile = O_LARGEFILE;
