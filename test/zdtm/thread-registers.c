/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that computes keeps every general register, its flags and its segment bases.
 */
#include "zdtm.h"

#if defined(__x86_64__)

#include <asm/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { REGS = 15, FLAG_DIRECTION = 1 << 10 };

/* rax rbx rcx rdx rsi rdi rbp r8..r15, then the flags. By name, so that no register is needed. */
static uint64_t in[REGS] asm("zdtm_in") __attribute__((used));
static uint64_t out[REGS + 1] asm("zdtm_out") __attribute__((used));

/* Loads all registers from in[], loops without a system call until zdtm_stop, stores to out[]. */
static void hold_registers(void)
{
	asm volatile("lea -256(%%rsp), %%rsp\n\t" /* below the red zone */
		     "push %%rbx\n\t"
		     "push %%rbp\n\t"
		     "std\n\t"
		     "mov 0+zdtm_in(%%rip), %%rax\n\t"
		     "mov 8+zdtm_in(%%rip), %%rbx\n\t"
		     "mov 16+zdtm_in(%%rip), %%rcx\n\t"
		     "mov 24+zdtm_in(%%rip), %%rdx\n\t"
		     "mov 32+zdtm_in(%%rip), %%rsi\n\t"
		     "mov 40+zdtm_in(%%rip), %%rdi\n\t"
		     "mov 48+zdtm_in(%%rip), %%rbp\n\t"
		     "mov 56+zdtm_in(%%rip), %%r8\n\t"
		     "mov 64+zdtm_in(%%rip), %%r9\n\t"
		     "mov 72+zdtm_in(%%rip), %%r10\n\t"
		     "mov 80+zdtm_in(%%rip), %%r11\n\t"
		     "mov 88+zdtm_in(%%rip), %%r12\n\t"
		     "mov 96+zdtm_in(%%rip), %%r13\n\t"
		     "mov 104+zdtm_in(%%rip), %%r14\n\t"
		     "mov 112+zdtm_in(%%rip), %%r15\n"
		     "1:\tcmpl $0, zdtm_stop(%%rip)\n\t"
		     "je 1b\n\t"
		     "mov %%rax, 0+zdtm_out(%%rip)\n\t"
		     "mov %%rbx, 8+zdtm_out(%%rip)\n\t"
		     "mov %%rcx, 16+zdtm_out(%%rip)\n\t"
		     "mov %%rdx, 24+zdtm_out(%%rip)\n\t"
		     "mov %%rsi, 32+zdtm_out(%%rip)\n\t"
		     "mov %%rdi, 40+zdtm_out(%%rip)\n\t"
		     "mov %%rbp, 48+zdtm_out(%%rip)\n\t"
		     "mov %%r8, 56+zdtm_out(%%rip)\n\t"
		     "mov %%r9, 64+zdtm_out(%%rip)\n\t"
		     "mov %%r10, 72+zdtm_out(%%rip)\n\t"
		     "mov %%r11, 80+zdtm_out(%%rip)\n\t"
		     "mov %%r12, 88+zdtm_out(%%rip)\n\t"
		     "mov %%r13, 96+zdtm_out(%%rip)\n\t"
		     "mov %%r14, 104+zdtm_out(%%rip)\n\t"
		     "mov %%r15, 112+zdtm_out(%%rip)\n\t"
		     "pushf\n\t"
		     "popq 120+zdtm_out(%%rip)\n\t"
		     "cld\n\t"
		     "pop %%rbp\n\t"
		     "pop %%rbx\n\t"
		     "lea 256(%%rsp), %%rsp\n\t"
		     :
		     :
		     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
		       "r14", "r15", "cc", "memory");
}

int main(void)
{
	static const char *const names[REGS] = { "rax", "rbx", "rcx", "rdx", "rsi",
						 "rdi", "rbp", "r8",  "r9",  "r10",
						 "r11", "r12", "r13", "r14", "r15" };
	uint64_t gs = 0, gs_before = 0x7123456789a0;
	for (uint64_t i = 0; i < REGS; i++)
		in[i] = 0x0123456789abcdef * (2 * i + 1);
	zdtm_assert(!syscall(SYS_arch_prctl, ARCH_SET_GS, gs_before));
	zdtm_start();
	hold_registers();
	for (int i = 0; i < REGS; i++)
		if (in[i] != out[i])
			zdtm_fail("register %s is %#llx, not %#llx", names[i],
				  (unsigned long long)out[i], (unsigned long long)in[i]);
	zdtm_assert(out[REGS] & FLAG_DIRECTION);
	zdtm_assert(!syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
	zdtm_assert_eq(gs, gs_before);
	zdtm_pass();
}

#else

int main(void)
{
	zdtm_skip("no assembler for this architecture");
}

#endif
