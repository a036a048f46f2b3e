/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * General registers of x86-64.
 */
#ifndef CRIB_COMPEL_ARCH_X86_64_REGS_H
#define CRIB_COMPEL_ARCH_X86_64_REGS_H

#include <sys/user.h>

struct compel_regs {
	struct user_regs_struct native;
};

#endif /* CRIB_COMPEL_ARCH_X86_64_REGS_H */
