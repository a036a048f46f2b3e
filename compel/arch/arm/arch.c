/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * compel on 32-bit arm (EABI), ARM and Thumb code, ARMv6 and newer.
 */
#include <compel/arch.h>

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "../../src/internal.h"

/* asm/ptrace.h of arm; not in every libc. */
#define ARM_PTRACE_GET_THREAD_AREA 22
#define ARM_PTRACE_SET_SYSCALL     23

#ifndef NT_ARM_VFP
#define NT_ARM_VFP 0x400
#endif

#define CPSR_THUMB    0x00000020UL
#define CPSR_IT_STATE 0x0600fc00UL /* a pending if-then block would make the call conditional */
#define TAG_THUMB     1

enum { R0, R7 = 7, SP = 13, PC = 15, CPSR = 16, ORIG_R0 = 17 };

static const struct compel_insn insns[] = {
	{ .bytes = { 0x00, 0x00, 0x00, 0xef }, .size = 4, .align = 4 },       /* svc 0 */
	{ .bytes = { 0x00, 0xdf }, .size = 2, .align = 2, .tag = TAG_THUMB }, /* svc 0 */
};

static const uint32_t fpu_notes[] = { NT_ARM_VFP, 0 };

static uint64_t arm_pc(const struct compel_regs *regs)
{
	return regs->native.uregs[PC] | (regs->native.uregs[CPSR] & CPSR_THUMB ? TAG_THUMB : 0);
}

static void arm_set_pc(struct compel_regs *regs, uint64_t pc)
{
	unsigned long *r = regs->native.uregs;

	r[PC] = (unsigned long)pc & ~(unsigned long)TAG_THUMB;
	r[CPSR] &= ~(CPSR_THUMB | CPSR_IT_STATE);
	if (pc & TAG_THUMB)
		r[CPSR] |= CPSR_THUMB;
}

static uint64_t arm_sp(const struct compel_regs *regs)
{
	return regs->native.uregs[SP];
}

static void arm_set_nr(struct compel_regs *regs, long nr)
{
	regs->native.uregs[R7] = (unsigned long)nr;
}

static void arm_copy_nr(struct compel_regs *to, const struct compel_regs *from)
{
	to->native.uregs[R7] = from->native.uregs[R7];
}

static void arm_rewind(struct compel_regs *regs, const struct compel_regs *entry)
{
	unsigned long *r = regs->native.uregs;

	r[PC] -= r[CPSR] & CPSR_THUMB ? 2 : 4;
	r[R0] = entry->native.uregs[R0];
	r[ORIG_R0] = entry->native.uregs[R0];
	arm_copy_nr(regs, entry);
}

static int arm_set_entry_nr(pid_t tid, long nr)
{
	return (int)compel_ptrace(ARM_PTRACE_SET_SYSCALL, tid, NULL, (void *)nr);
}

static void arm_set_call(struct compel_regs *regs, uint64_t insn, long nr, const uint64_t args[6])
{
	unsigned long *r = regs->native.uregs;

	for (int i = 0; i < 6; i++)
		r[R0 + i] = (unsigned long)args[i];
	r[ORIG_R0] = r[R0];
	arm_set_nr(regs, nr);
	arm_set_pc(regs, insn);
}

/* Addresses above 2 GiB are results too: only the last page is errors. */
static int64_t arm_result(const struct compel_regs *regs)
{
	unsigned long r0 = regs->native.uregs[R0];

	return r0 > -4096UL ? (int64_t)(long)r0 : (int64_t)r0;
}

static int arm_tls_get(pid_t tid, uint64_t *ret_tls)
{
	unsigned long tls = 0;
	int ret = (int)compel_ptrace(ARM_PTRACE_GET_THREAD_AREA, tid, NULL, &tls);

	if (ret == 0)
		*ret_tls = tls;
	return ret;
}

const struct compel_arch compel_arch = {
	.name = "arm",
	.insns = insns,
	.nr_insns = COMPEL_ARRAY_SIZE(insns),
	.red_zone = 0,
	.fpu_notes = fpu_notes,
	.nr_mmap = SYS_mmap2,
	.nr_getpid = SYS_getpid,
	.restart_hidden = true,
	.set_entry_nr = arm_set_entry_nr,
	.set_nr = arm_set_nr,
	.copy_nr = arm_copy_nr,
	.rewind = arm_rewind,
	.pc = arm_pc,
	.set_pc = arm_set_pc,
	.sp = arm_sp,
	.set_call = arm_set_call,
	.result = arm_result,
	.tls_get = arm_tls_get,
};
