/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What home.c has for struct compel_arch of x86-64.
 */
#ifndef CRIB_COMPEL_ARCH_X86_64_HOME_H
#define CRIB_COMPEL_ARCH_X86_64_HOME_H

#include <compel/arch.h>

#define X86_RED_ZONE   128
#define X86_FRAME_SIZE 312
#define X86_LEAVE_SIZE 152

extern const struct compel_pattern x86_call_return;
extern const struct compel_pattern x86_sigreturns[2];

bool x86_may_return(pid_t tid);
void x86_restart(struct compel_regs *regs, bool block);
void x86_write_frame(void *frame, const struct compel_regs *regs, uint64_t mask, uint64_t sigreturn,
		     uint64_t fpu);
size_t x86_fpu_size(const struct compel_fpu *fpu);
void x86_write_fpu(void *state, const struct compel_fpu *fpu);
void x86_write_leave(void *block, const struct compel_regs *regs, uint64_t mask, uint64_t leave);

#endif /* CRIB_COMPEL_ARCH_X86_64_HOME_H */
