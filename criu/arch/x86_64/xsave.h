/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FPU and vector state of x86-64: the XSAVE area as ptrace gives it, and user_x86_fpregs_entry.
 */
#ifndef CRIB_ARCH_X86_64_XSAVE_H
#define CRIB_ARCH_X86_64_XSAVE_H

#include "arch/arch.h"

/* A new entry in the snapshot's arena. 0, or -ENOTSUP: components that the image cannot hold. */
int xsave_to_entry(struct snapshot *snap, const struct compel_fpu *fpu,
		   UserX86FpregsEntry **ret_entry, struct err *err);

/* Overwrites the state in @fpu. 0, -EBADMSG, or -ENOTSUP: this processor lacks a component. */
int xsave_from_entry(const UserX86FpregsEntry *entry, struct compel_fpu *fpu, struct err *err);

#endif /* CRIB_ARCH_X86_64_XSAVE_H */
