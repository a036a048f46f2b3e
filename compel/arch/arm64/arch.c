/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * compel on arm64, for 64-bit tasks.
 */
#include <compel/arch.h>

#include <elf.h>
#include <sys/syscall.h>

#include "../../src/internal.h"

#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif

/*
 * PSTATE.BTYPE is set between an indirect branch and its landing pad: a system call instruction in
 * a guarded page would then raise a branch target exception.
 */
#define PSTATE_BTYPE 0xc00UL

static const struct compel_insn insns[] = {
	{ .bytes = { 0x01, 0x00, 0x00, 0xd4 }, .size = 4, .align = 4 }, /* svc #0 */
};

/* NT_ARM_SVE is left to callers that know of it: without SVE in use this is the whole state. */
static const uint32_t fpu_notes[] = { NT_PRFPREG, 0 };

static uint64_t arm64_pc(const struct compel_regs *regs)
{
	return regs->native.pc;
}

static void arm64_set_pc(struct compel_regs *regs, uint64_t pc)
{
	regs->native.pc = pc;
	regs->native.pstate &= ~PSTATE_BTYPE;
}

static uint64_t arm64_sp(const struct compel_regs *regs)
{
	return regs->native.sp;
}

static void arm64_set_nr(struct compel_regs *regs, long nr)
{
	regs->native.regs[8] = (unsigned long)nr;
}

static void arm64_rewind(struct compel_regs *regs, const struct compel_regs *entry)
{
	regs->native.pc -= insns[0].size;
	regs->native.regs[0] = entry->native.regs[0];
}

static int arm64_set_entry_nr(pid_t tid, long nr)
{
	int value = (int)nr;

	return compel_regset_set(tid, NT_ARM_SYSTEM_CALL, &value, sizeof(value), NULL);
}

static void arm64_set_call(struct compel_regs *regs, uint64_t insn, long nr, const uint64_t args[6])
{
	for (int i = 0; i < 6; i++)
		regs->native.regs[i] = args[i];
	arm64_set_nr(regs, nr);
	arm64_set_pc(regs, insn);
}

static int64_t arm64_result(const struct compel_regs *regs)
{
	return (int64_t)regs->native.regs[0];
}

static int arm64_tls_get(pid_t tid, uint64_t *ret_tls)
{
	uint64_t tls[2] = { 0 }; /* with SME the kernel also gives TPIDR2 */
	size_t size = sizeof(tls);
	int ret = compel_regset_get(tid, NT_ARM_TLS, tls, &size, NULL);

	if (ret == 0)
		*ret_tls = tls[0];
	return ret;
}

static int arm64_tls_set(pid_t tid, uint64_t tls)
{
	return compel_regset_set(tid, NT_ARM_TLS, &tls, sizeof(tls), NULL);
}

const struct compel_arch compel_arch = {
	.name = "arm64",
	.insns = insns,
	.nr_insns = COMPEL_ARRAY_SIZE(insns),
	.red_zone = 0,
	.fpu_notes = fpu_notes,
	.nr_mmap = SYS_mmap,
	.nr_getpid = SYS_getpid,
	.restart_hidden = true,
	.set_entry_nr = arm64_set_entry_nr,
	.set_nr = arm64_set_nr,
	.rewind = arm64_rewind,
	.pc = arm64_pc,
	.set_pc = arm64_set_pc,
	.sp = arm64_sp,
	.set_call = arm64_set_call,
	.result = arm64_result,
	.tls_get = arm64_tls_get,
	.tls_set = arm64_tls_set,
};
