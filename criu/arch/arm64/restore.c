// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way into the restorer blob, and code for an old vdso, on arm64.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "arch/restore.h"

void arch_enter_blob(uintptr_t entry, uintptr_t arg, uintptr_t stack)
{
	register uintptr_t x0 __asm__("x0") = arg;

	__asm__ volatile("mov sp, %1\n\t"
			 "br %0"
			 :
			 : "r"(entry), "r"(stack), "r"(x0)
			 : "memory");
	__builtin_unreachable();
}

int arch_vdso_put_jump(uint8_t *code, size_t room, uint64_t target)
{
	/* ldr x16, .+8; br x16; and the address: x16 is for veneers like this one */
	static const uint32_t jump[] = { 0x58000050, 0xd61f0200 };

	if (room < sizeof(jump) + sizeof(target))
		return -ENOSPC;
	memcpy(code, jump, sizeof(jump));
	memcpy(code + sizeof(jump), &target, sizeof(target));
	return sizeof(jump) + sizeof(target);
}

int arch_vdso_put_syscall(uint8_t *code, size_t room, const char *symbol)
{
	static const struct {
		const char *symbol;
		uint32_t nr;
	} calls[] = {
		{ "__kernel_clock_gettime", SYS_clock_gettime },
		{ "__kernel_clock_getres", SYS_clock_getres },
		{ "__kernel_gettimeofday", SYS_gettimeofday },
	};

	if (!strcmp(symbol, "__kernel_rt_sigreturn"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		/* mov x8, #nr; svc #0; ret */
		const uint32_t stub[] = { 0xd2800008 | calls[i].nr << 5, 0xd4000001, 0xd65f03c0 };

		if (strcmp(symbol, calls[i].symbol))
			continue;
		if (room < sizeof(stub))
			return -ENOSPC;
		memcpy(code, stub, sizeof(stub));
		return sizeof(stub);
	}
	return -ENOENT;
}

uint64_t arch_core_pc(const CoreEntry *core)
{
	return core->ti_aarch64 && core->ti_aarch64->gpregs ? core->ti_aarch64->gpregs->pc : 0;
}
