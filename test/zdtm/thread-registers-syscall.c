/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that is dumped inside a system call keeps all registers that a call has to keep.
 */
#include "zdtm.h"

#if defined(__x86_64__)

#include <errno.h>
#include <sys/syscall.h>

enum { REGS = 12 };

/* rbx rdx rsi rdi rbp r8 r9 r10 r12 r13 r14 r15; those of the arguments are set by main(). */
static uint64_t in[REGS] asm("zdtm_in") __attribute__((used));
static uint64_t out[REGS] asm("zdtm_out") __attribute__((used));
static uint64_t result asm("zdtm_result") __attribute__((used));

static void wait_in_syscall(void)
{
	asm volatile("lea -256(%%rsp), %%rsp\n\t" /* below the red zone */
		     "push %%rbx\n\t"
		     "push %%rbp\n\t"
		     "mov 0+zdtm_in(%%rip), %%rbx\n\t"
		     "mov 8+zdtm_in(%%rip), %%rdx\n\t"
		     "mov 16+zdtm_in(%%rip), %%rsi\n\t"
		     "mov 24+zdtm_in(%%rip), %%rdi\n\t"
		     "mov 32+zdtm_in(%%rip), %%rbp\n\t"
		     "mov 40+zdtm_in(%%rip), %%r8\n\t"
		     "mov 48+zdtm_in(%%rip), %%r9\n\t"
		     "mov 56+zdtm_in(%%rip), %%r10\n\t"
		     "mov 64+zdtm_in(%%rip), %%r12\n\t"
		     "mov 72+zdtm_in(%%rip), %%r13\n\t"
		     "mov 80+zdtm_in(%%rip), %%r14\n\t"
		     "mov 88+zdtm_in(%%rip), %%r15\n"
		     "1:\tmov %[number], %%eax\n\t"
		     "syscall\n\t"
		     "cmp %[eintr], %%rax\n\t" /* being dumped may interrupt it */
		     "je 1b\n\t"
		     "mov %%rax, zdtm_result(%%rip)\n\t"
		     "mov %%rbx, 0+zdtm_out(%%rip)\n\t"
		     "mov %%rdx, 8+zdtm_out(%%rip)\n\t"
		     "mov %%rsi, 16+zdtm_out(%%rip)\n\t"
		     "mov %%rdi, 24+zdtm_out(%%rip)\n\t"
		     "mov %%rbp, 32+zdtm_out(%%rip)\n\t"
		     "mov %%r8, 40+zdtm_out(%%rip)\n\t"
		     "mov %%r9, 48+zdtm_out(%%rip)\n\t"
		     "mov %%r10, 56+zdtm_out(%%rip)\n\t"
		     "mov %%r12, 64+zdtm_out(%%rip)\n\t"
		     "mov %%r13, 72+zdtm_out(%%rip)\n\t"
		     "mov %%r14, 80+zdtm_out(%%rip)\n\t"
		     "mov %%r15, 88+zdtm_out(%%rip)\n\t"
		     "pop %%rbp\n\t"
		     "pop %%rbx\n\t"
		     "lea 256(%%rsp), %%rsp\n\t"
		     :
		     : [number] "i"(SYS_rt_sigtimedwait), [eintr] "i"(-EINTR)
		     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13",
		       "r14", "r15", "cc", "memory");
}

int main(void)
{
	static const char *const names[REGS] = { "rbx", "rdx", "rsi", "rdi", "rbp", "r8",
						 "r9",  "r10", "r12", "r13", "r14", "r15" };
	static uint64_t set = 1ULL << (SIGTERM - 1); /* as the kernel has it: 64 bits */
	for (uint64_t i = 0; i < REGS; i++)
		in[i] = 0x0fedcba987654321 * (2 * i + 1);
	in[1] = 0; /* no time-out */
	in[2] = 0; /* no siginfo */
	in[3] = (uint64_t)&set;
	in[7] = sizeof(set);
	zdtm_tell_ready();
	wait_in_syscall();
	zdtm_assert_eq(result, SIGTERM);
	for (int i = 0; i < REGS; i++)
		if (in[i] != out[i])
			zdtm_fail("register %s is %#llx, not %#llx", names[i],
				  (unsigned long long)out[i], (unsigned long long)in[i]);
	zdtm_pass();
}

#else

int main(void)
{
	zdtm_skip("no assembler for this architecture");
}

#endif
