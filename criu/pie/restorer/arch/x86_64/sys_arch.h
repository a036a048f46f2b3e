/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls of the restorer blob on x86-64.
 */
#ifndef CRIB_RESTORER_SYS_ARCH_H
#define CRIB_RESTORER_SYS_ARCH_H

#include <asm/unistd.h>

static inline long sys6(long nr, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
			unsigned long e, unsigned long f)
{
	register unsigned long r10 __asm__("r10") = d;
	register unsigned long r8 __asm__("r8") = e;
	register unsigned long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#endif /* CRIB_RESTORER_SYS_ARCH_H */
