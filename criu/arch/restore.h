/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an architecture gives to restore besides registers (arch.h): the way into the blob, and
 * code that is patched into an old vdso.
 */
#ifndef CRIB_ARCH_RESTORE_H
#define CRIB_ARCH_RESTORE_H

#include <stddef.h>
#include <stdint.h>

#include "model/snapshot.h"

/* Leaves C for good: sets the stack pointer and jumps to @entry with @arg as its argument. */
__attribute__((noreturn)) void arch_enter_blob(uintptr_t entry, uintptr_t arg, uintptr_t stack);

/* Writes a jump to @target. Returns its length, or -ENOSPC when @room bytes are too few. */
int arch_vdso_put_jump(uint8_t *code, size_t room, uint64_t target);

/*
 * For a function of an old vdso that the new one does not have: writes the system call that does
 * the same. Returns its length; 0: the old code needs no vvar and may stay; -ENOSPC; -ENOENT: there
 * is no such call.
 */
int arch_vdso_put_syscall(uint8_t *code, size_t room, const char *symbol);

/* The instruction pointer of a saved thread. */
uint64_t arch_core_pc(const CoreEntry *core);

#endif /* CRIB_ARCH_RESTORE_H */
