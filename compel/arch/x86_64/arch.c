/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * compel on x86-64.
 */
#include <compel/arch.h>

#include <elf.h>
#include <sys/syscall.h>

#include "../../src/internal.h"
#include "home.h"

/* The trap flag: a target that single-steps itself must not get a SIGTRAP for our call. */
#define EFLAGS_TF 0x100UL

static const struct compel_insn insns[] = {
	{ .bytes = { 0x0f, 0x05 }, .size = 2, .align = 1 }, /* syscall */
};

static const uint32_t fpu_notes[] = { NT_X86_XSTATE, NT_PRFPREG, 0 };

static uint64_t x86_pc(const struct compel_regs *regs)
{
	return regs->native.rip;
}

static void x86_set_pc(struct compel_regs *regs, uint64_t pc)
{
	regs->native.rip = pc;
}

static uint64_t x86_sp(const struct compel_regs *regs)
{
	return regs->native.rsp;
}

static void x86_set_sp(struct compel_regs *regs, uint64_t sp)
{
	regs->native.rsp = sp;
}

static void x86_set_nr(struct compel_regs *regs, long nr)
{
	regs->native.rax = (unsigned long)nr;
}

static void x86_set_call(struct compel_regs *regs, uint64_t insn, long nr, const uint64_t args[6])
{
	struct user_regs_struct *r = &regs->native;

	/* orig_rax >= 0 would say: this is an interrupted call, look whether to restart it. */
	r->orig_rax = -1UL;
	r->rax = (unsigned long)nr;
	r->rdi = args[0];
	r->rsi = args[1];
	r->rdx = args[2];
	r->r10 = args[3];
	r->r8 = args[4];
	r->r9 = args[5];
	r->rip = insn;
	r->eflags &= ~EFLAGS_TF;
}

static int64_t x86_result(const struct compel_regs *regs)
{
	return (int64_t)regs->native.rax;
}

static int x86_tls_get(pid_t tid, uint64_t *ret_tls)
{
	struct compel_regs regs;
	int ret = compel_regs_get(tid, &regs, NULL);

	if (ret == 0)
		*ret_tls = regs.native.fs_base;
	return ret;
}

static int x86_tls_set(pid_t tid, uint64_t tls)
{
	struct compel_regs regs;
	int ret = compel_regs_get(tid, &regs, NULL);

	if (ret < 0)
		return ret;
	regs.native.fs_base = tls;
	return compel_regs_set(tid, &regs, NULL);
}

extern const uint8_t compel_row_code[] __attribute__((visibility("hidden")));
extern const uint8_t compel_row_leave[] __attribute__((visibility("hidden")));
extern const uint8_t compel_row_code_end[] __attribute__((visibility("hidden")));

/*
 * Rows have 64 bytes: number, six arguments, result. rcx and r11 are lost in a call. To leave means
 * to have the signal mask restored while the stack pointer stands at struct leave of home.c, below
 * the red zone, where a handler that now comes cannot harm it, and to take the registers from there.
 */
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	"compel_row_code:\n"
	"	mov %rdi, %rbx\n"
	"	mov %rsi, %rbp\n"
	"	mov %rdx, %r12\n"
	"1:	mov (%rbx), %rax\n"
	"	mov 8(%rbx), %rdi\n"
	"	mov 16(%rbx), %rsi\n"
	"	mov 24(%rbx), %rdx\n"
	"	mov 32(%rbx), %r10\n"
	"	mov 40(%rbx), %r8\n"
	"	mov 48(%rbx), %r9\n"
	"	syscall\n"
	"	mov %rax, 56(%rbx)\n"
	"	add $64, %rbx\n"
	"	dec %rbp\n"
	"	jnz 1b\n"
	"	movq $1, (%rbx)\n"
	"	mov $39, %eax\n" /* getpid */
	"	syscall\n"
	"	mov %eax, %edi\n"
	"	mov $186, %eax\n" /* gettid */
	"	syscall\n"
	"	mov %eax, %esi\n"
	"	mov %r12d, %edx\n"
	"	mov $234, %eax\n" /* tgkill */
	"	syscall\n"
	"	ret\n"
	"compel_row_leave:\n"
	"	mov $14, %eax\n" /* rt_sigprocmask */
	"	mov $2, %edi\n"  /* SIG_SETMASK */
	"	mov %rsp, %rsi\n"
	"	xor %edx, %edx\n"
	"	mov $8, %r10d\n"
	"	syscall\n"
	"	pop %r15\n"
	"	popfq\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbp\n"
	"	pop %rbx\n"
	"	pop %r11\n"
	"	pop %r10\n"
	"	pop %r9\n"
	"	pop %r8\n"
	"	pop %rax\n"
	"	pop %rcx\n"
	"	pop %rdx\n"
	"	pop %rsi\n"
	"	pop %rdi\n"
	"	ret $128\n" /* X86_RED_ZONE */
	"compel_row_code_end:\n"
	".popsection\n");

const struct compel_arch compel_arch = {
	.name = "x86_64",
	.insns = insns,
	.nr_insns = COMPEL_ARRAY_SIZE(insns),
	.red_zone = X86_RED_ZONE,
	.fpu_notes = fpu_notes,
	.nr_mmap = SYS_mmap,
	.nr_getpid = SYS_getpid,
	.restart_hidden = false,
	.set_nr = x86_set_nr,
	.pc = x86_pc,
	.set_pc = x86_set_pc,
	.sp = x86_sp,
	.set_call = x86_set_call,
	.row_code = compel_row_code,
	.row_leave = compel_row_leave,
	.row_code_end = compel_row_code_end,
	.call_return = &x86_call_return,
	.sigreturns = x86_sigreturns,
	.nr_sigreturns = COMPEL_ARRAY_SIZE(x86_sigreturns),
	.may_return = x86_may_return,
	.restart = x86_restart,
	.set_sp = x86_set_sp,
	.frame_size = X86_FRAME_SIZE,
	.write_frame = x86_write_frame,
	.fpu_size = x86_fpu_size,
	.write_fpu = x86_write_fpu,
	.leave_size = X86_LEAVE_SIZE,
	.write_leave = x86_write_leave,
	.result = x86_result,
	.tls_get = x86_tls_get,
	.tls_set = x86_tls_set,
};
