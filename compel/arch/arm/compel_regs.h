/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * General registers of 32-bit arm: uregs[16] is cpsr, uregs[17] the first argument of the current
 * system call. In a system call stop the kernel shows another ip (r12) and ignores writes to it.
 */
#ifndef CRIB_COMPEL_ARCH_ARM_REGS_H
#define CRIB_COMPEL_ARCH_ARM_REGS_H

#include <sys/user.h>

struct compel_regs {
	struct user_regs native;
};

#endif /* CRIB_COMPEL_ARCH_ARM_REGS_H */
