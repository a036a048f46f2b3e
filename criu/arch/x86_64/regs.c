// SPDX-License-Identifier: GPL-2.0-only
/*
 * x86-64 general registers to core_entry and back.
 */
#include <errno.h>

#include "arch/arch.h"
#include "arch/x86_64/xsave.h"

const CoreEntry__March arch_march = CORE_ENTRY__MARCH__X86_64;

/* What the kernel leaves in ax for a system call that is to be restarted: linux/errno.h. */
enum { ERESTARTSYS = 512, ERESTARTNOINTR = 513, ERESTARTNOHAND = 514, ERESTART_RESTARTBLOCK = 516 };
enum { SYSCALL_INSN_LEN = 2 };

/* Fields that have one name on both sides, and those that do not. */
#define EACH_REG(copy)                                                                             \
	copy(r15, r15) copy(r14, r14) copy(r13, r13) copy(r12, r12) copy(bp, rbp) copy(bx, rbx)    \
		copy(r11, r11) copy(r10, r10) copy(r9, r9) copy(r8, r8) copy(ax, rax)              \
			copy(cx, rcx) copy(dx, rdx) copy(si, rsi) copy(di, rdi)                    \
				copy(orig_ax, orig_rax) copy(ip, rip) copy(cs, cs)                 \
					copy(flags, eflags) copy(sp, rsp) copy(ss, ss)             \
						copy(fs_base, fs_base) copy(gs_base, gs_base)      \
							copy(ds, ds) copy(es, es) copy(fs, fs)     \
								copy(gs, gs)

/*
 * In an image a thread stands in front of a system call that it was in, so that any restore runs
 * it again. A call with a restart block (nanosleep, poll, futex with a time-out) can be continued
 * by its own kernel only and begins anew.
 */
static void unwind_syscall(UserX86RegsEntry *regs)
{
	if ((int64_t)regs->orig_ax < 0)
		return;
	switch (-(int64_t)regs->ax) {
	case ERESTARTSYS:
	case ERESTARTNOINTR:
	case ERESTARTNOHAND:
	case ERESTART_RESTARTBLOCK: regs->ax = regs->orig_ax; regs->ip -= SYSCALL_INSN_LEN;
	}
}

int arch_save_regs(struct snapshot *snap, CoreEntry *core, const struct compel_regs *regs,
		   const struct compel_fpu *fpu, uint64_t clear_tid_addr, struct err *err)
{
	ThreadInfoX86 *info = SNAP_MSG(snap, ThreadInfoX86, thread_info_x86);
	UserX86RegsEntry *gpregs = SNAP_MSG(snap, UserX86RegsEntry, user_x86_regs_entry);

	core->mtype = arch_march;
	core->thread_info = info;
	info->clear_tid_addr = clear_tid_addr;
	info->gpregs = gpregs;
#define SAVE(field, native_field) gpregs->field = regs->native.native_field;
	EACH_REG(SAVE)
#undef SAVE
	gpregs->has_mode = true;
	gpregs->mode = USER_X86_REGS_MODE__NATIVE;
	unwind_syscall(gpregs);
	return xsave_to_entry(snap, fpu, &info->fpregs, err);
}

int arch_load_regs(const CoreEntry *core, struct compel_regs *regs, struct compel_fpu *fpu,
		   struct err *err)
{
	const ThreadInfoX86 *info = core->thread_info;

	if (!info || !info->gpregs)
		return err_set(err, -EBADMSG, "the image has no x86-64 registers");
	const UserX86RegsEntry *gpregs = info->gpregs;

	if (gpregs->has_mode && gpregs->mode != USER_X86_REGS_MODE__NATIVE)
		return err_set(err, -ENOTSUP, "32-bit tasks are not supported");
#define LOAD(field, native_field) regs->native.native_field = gpregs->field;
	EACH_REG(LOAD)
#undef LOAD
	regs->native.orig_rax =
		(unsigned long long)-1; /* no call of the kernel's to be restarted */
	return info->fpregs ? xsave_from_entry(info->fpregs, fpu, err) : 0;
}

uint64_t arch_clear_tid_addr(const CoreEntry *core)
{
	return core->thread_info ? core->thread_info->clear_tid_addr : 0;
}
