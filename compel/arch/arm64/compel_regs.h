/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * General registers of arm64. In a system call stop the kernel shows another x7 and ignores writes
 * to it (asm/ptrace.h of the kernel), so they are read and set in event-stops.
 */
#ifndef CRIB_COMPEL_ARCH_ARM64_REGS_H
#define CRIB_COMPEL_ARCH_ARM64_REGS_H

#include <sys/user.h>

struct compel_regs {
	struct user_regs_struct native;
};

#endif /* CRIB_COMPEL_ARCH_ARM64_REGS_H */
