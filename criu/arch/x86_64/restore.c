// SPDX-License-Identifier: GPL-2.0-only
/*
 * The way into the restorer blob, and code for an old vdso, on x86-64.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "arch/restore.h"

void arch_enter_blob(uintptr_t entry, uintptr_t arg, uintptr_t stack)
{
	__asm__ volatile("movq %1, %%rsp\n\t"
			 "jmpq *%0"
			 :
			 : "a"(entry), "c"(stack), "D"(arg)
			 : "memory");
	__builtin_unreachable();
}

int arch_vdso_put_jump(uint8_t *code, size_t room, uint64_t target)
{
	/* jmp *0(%rip), and the address behind it: no register is touched */
	static const uint8_t jump[] = { 0xff, 0x25, 0, 0, 0, 0 };

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
		{ "__vdso_clock_gettime", SYS_clock_gettime },
		{ "__vdso_clock_getres", SYS_clock_getres },
		{ "__vdso_gettimeofday", SYS_gettimeofday },
		{ "__vdso_time", SYS_time },
		{ "__vdso_getcpu", SYS_getcpu },
	};
	/* mov $nr, %eax; syscall; ret */
	uint8_t stub[] = { 0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3 };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (strcmp(symbol, calls[i].symbol))
			continue;
		if (room < sizeof(stub))
			return -ENOSPC;
		memcpy(stub + 1, &calls[i].nr, sizeof(calls[i].nr));
		memcpy(code, stub, sizeof(stub));
		return sizeof(stub);
	}
	return -ENOENT;
}

uint64_t arch_core_pc(const CoreEntry *core)
{
	return core->thread_info && core->thread_info->gpregs ? core->thread_info->gpregs->ip : 0;
}
