/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The way home on x86-64: signal frames as rt_sigreturn(2) reads them (the kernel's asm/sigframe.h
 * and asm/sigcontext.h), and what a thread that leaves code of compel's takes from its stack.
 */
#include <cpuid.h>
#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "../../src/internal.h"
#include "home.h"

#ifndef NT_X86_SHSTK
#define NT_X86_SHSTK 0x204
#endif

const struct compel_pattern x86_call_return = {
	.bytes = { 0x0f, 0x05, 0xc3 }, /* syscall; ret */
	.size = 3,
};

/* mov $15, %rax or %eax; syscall */
const struct compel_pattern x86_sigreturns[2] = {
	{ .bytes = { 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05 }, .size = 9 },
	{ .bytes = { 0xb8, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05 }, .size = 7 },
};

/* A shadow stack holds the addresses that one may return to. */
bool x86_may_return(pid_t tid)
{
	uint64_t ssp;
	size_t size = sizeof(ssp);

	return compel_regset_get(tid, NT_X86_SHSTK, &ssp, &size, NULL) < 0;
}

/* Results that never reach a user (linux/errno.h of the kernel). */
enum {
	K_ERESTARTSYS = 512,
	K_ERESTARTNOINTR = 513,
	K_ERESTARTNOHAND = 514,
	K_ERESTART_RESTARTBLOCK = 516,
	SYSCALL_SIZE = 2,
};

void x86_restart(struct compel_regs *regs, bool block)
{
	struct user_regs_struct *r = &regs->native;
	long result = -(long)r->rax;

	if ((long)r->orig_rax < 0 ||
	    (result != K_ERESTARTSYS && result != K_ERESTARTNOINTR && result != K_ERESTARTNOHAND &&
	     result != K_ERESTART_RESTARTBLOCK))
		return;
	if (result == K_ERESTART_RESTARTBLOCK && block)
		r->rax = SYS_restart_syscall;
	else
		r->rax = r->orig_rax;
	r->rip -= SYSCALL_SIZE;
}

#define UC_FP_XSTATE         1
#define UC_SIGCONTEXT_SS     2
#define UC_STRICT_RESTORE_SS 4

/* struct rt_sigframe up to the mask. */
struct frame {
	uint64_t pretcode;
	uint64_t uc_flags;
	uint64_t uc_link;
	uint64_t ss_sp;
	uint32_t ss_flags;
	uint32_t pad;
	uint64_t ss_size;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint64_t fpstate;
	uint64_t reserved[8];
	uint64_t sigmask;
};
_Static_assert(sizeof(struct frame) == X86_FRAME_SIZE, "kernel layout");

void x86_write_frame(void *frame, const struct compel_regs *regs, uint64_t mask, uint64_t sigreturn,
		     uint64_t fpu)
{
	const struct user_regs_struct *r = &regs->native;
	const struct frame f = {
		.pretcode = sigreturn,
		.uc_flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS,
		/* neither one of the modes nor "disabled": the alternate stack stays as it is */
		.ss_flags = 0x7fffffff,
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.di = r->rdi,
		.si = r->rsi,
		.bp = r->rbp,
		.bx = r->rbx,
		.dx = r->rdx,
		.ax = r->rax,
		.cx = r->rcx,
		.sp = r->rsp,
		.ip = r->rip,
		.flags = r->eflags,
		.cs = (uint16_t)r->cs,
		.ss = (uint16_t)r->ss,
		.fpstate = fpu,
		.sigmask = mask,
	};

	memcpy(frame, &f, sizeof(f));
}

/* ---- Floating point state: struct _xstate, in the form that is not compacted ---- */

#define XSTATE_MAGIC1 0x46505853u
#define XSTATE_MAGIC2 0x46505845u

enum {
	LEGACY_SIZE = 512,
	HEADER_SIZE = 64,
	SOFTWARE_AT = 464, /* struct _fpx_sw_bytes */
	FEATURES_FP_SSE = 3,
	FEATURE_TILECFG = 17,
	FEATURES_AMX = 3 << FEATURE_TILECFG,
	CPUID_XSTATE = 0xd,
};

struct software_bytes {
	uint32_t magic1;
	uint32_t extended_size;
	uint64_t xfeatures;
	uint32_t xstate_size;
	uint32_t pad[7];
};

static uint64_t features_at(const struct compel_fpu *fpu, size_t offset)
{
	uint64_t features;

	memcpy(&features, (const char *)fpu->data + offset, sizeof(features));
	return features;
}

static uint64_t features_in_use(const struct compel_fpu *fpu)
{
	return features_at(fpu, LEGACY_SIZE);
}

/*
 * ptrace shows all that the machine has. The kernel refuses a frame with more than the thread may
 * use, which is less where it has to ask for the last feature, AMX, and does not use that.
 */
static size_t xstate_size(const struct compel_fpu *fpu)
{
	unsigned int bytes, offset, c, d;

	/* ptrace leaves the features of the machine where frames say other things. */
	if (!(features_at(fpu, SOFTWARE_AT) & FEATURES_AMX) ||
	    (features_in_use(fpu) & FEATURES_AMX))
		return fpu->size;
	if (!__get_cpuid_count(CPUID_XSTATE, FEATURE_TILECFG, &bytes, &offset, &c, &d))
		return 0;
	return offset >= LEGACY_SIZE + HEADER_SIZE && offset <= fpu->size ? offset : 0;
}

size_t x86_fpu_size(const struct compel_fpu *fpu)
{
	if (fpu->note == NT_PRFPREG && fpu->size == LEGACY_SIZE)
		return LEGACY_SIZE;
	if (fpu->note != NT_X86_XSTATE || fpu->size < LEGACY_SIZE + HEADER_SIZE)
		return 0;
	size_t size = xstate_size(fpu);
	return size ? size + sizeof(XSTATE_MAGIC2) : 0;
}

void x86_write_fpu(void *state, const struct compel_fpu *fpu)
{
	const uint32_t magic2 = XSTATE_MAGIC2;
	char *to = state;

	if (fpu->note == NT_PRFPREG) {
		memcpy(to, fpu->data, SOFTWARE_AT);
		return;
	}
	size_t size = xstate_size(fpu);
	const struct software_bytes sw = {
		.magic1 = XSTATE_MAGIC1,
		.extended_size = (uint32_t)(size + sizeof(magic2)),
		.xfeatures = features_in_use(fpu) | FEATURES_FP_SSE,
		.xstate_size = (uint32_t)size,
	};

	memcpy(to, fpu->data, size);
	memcpy(to + SOFTWARE_AT, &sw, sizeof(sw));
	memcpy(to + size, &magic2, sizeof(magic2));
}

/* ---- Leaving: in the order in which compel_row_leave takes it ---- */

struct leave {
	uint64_t pretcode;
	uint64_t mask;
	uint64_t flags;
	uint64_t r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	uint64_t ip;
};
_Static_assert(sizeof(struct leave) == X86_LEAVE_SIZE, "as compel_row_leave takes it");

void x86_write_leave(void *block, const struct compel_regs *regs, uint64_t mask, uint64_t leave)
{
	const struct user_regs_struct *r = &regs->native;
	const struct leave l = {
		.pretcode = leave,
		.mask = mask,
		.flags = r->eflags,
		.r15 = r->r15,
		.r14 = r->r14,
		.r13 = r->r13,
		.r12 = r->r12,
		.bp = r->rbp,
		.bx = r->rbx,
		.r11 = r->r11,
		.r10 = r->r10,
		.r9 = r->r9,
		.r8 = r->r8,
		.ax = r->rax,
		.cx = r->rcx,
		.dx = r->rdx,
		.si = r->rsi,
		.di = r->rdi,
		.ip = r->rip,
	};

	memcpy(block, &l, sizeof(l));
}
