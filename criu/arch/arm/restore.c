// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way into the restorer blob, and code for an old vdso, on 32-bit arm.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "arch/restore.h"

void arch_enter_blob(uintptr_t entry, uintptr_t arg, uintptr_t stack)
{
	register uintptr_t r0 __asm__("r0") = arg;

	__asm__ volatile("mov sp, %1\n\t"
			 "bx %0"
			 :
			 : "r"(entry), "r"(stack), "r"(r0)
			 : "memory");
	__builtin_unreachable();
}

int arch_vdso_put_jump(uint8_t *code, size_t room, uint64_t target)
{
	/* ldr pc, [pc, #-4]; and the address */
	const uint32_t jump[] = { 0xe51ff004, (uint32_t)target };

	if (room < sizeof(jump))
		return -ENOSPC;
	memcpy(code, jump, sizeof(jump));
	return sizeof(jump);
}

int arch_vdso_put_syscall(uint8_t *code, size_t room, const char *symbol)
{
	static const struct {
		const char *symbol;
		uint32_t nr;
	} calls[] = {
		{ "__vdso_clock_gettime", SYS_clock_gettime },
		{ "__vdso_clock_getres", SYS_clock_getres },
		{ "__vdso_gettimeofday", SYS_gettimeofday },
#ifdef SYS_clock_gettime64
		{ "__vdso_clock_gettime64", SYS_clock_gettime64 },
#endif
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		/* push {r7}; ldr r7, [pc, #8]; svc 0; pop {r7}; bx lr; and the number */
		const uint32_t stub[] = { 0xe52d7004, 0xe59f7008, 0xef000000,
					  0xe49d7004, 0xe12fff1e, calls[i].nr };

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
	return core->ti_arm && core->ti_arm->gpregs ? core->ti_arm->gpregs->pc : 0;
}
