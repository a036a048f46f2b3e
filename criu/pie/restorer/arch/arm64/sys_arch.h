/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls of the restorer blob on arm64.
 */
#ifndef CRIB_RESTORER_SYS_ARCH_H
#define CRIB_RESTORER_SYS_ARCH_H

#include <asm/unistd.h>

static inline long sys6(long nr, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
			unsigned long e, unsigned long f)
{
	register long x8 __asm__("x8") = nr;
	register unsigned long x0 __asm__("x0") = a;
	register unsigned long x1 __asm__("x1") = b;
	register unsigned long x2 __asm__("x2") = c;
	register unsigned long x3 __asm__("x3") = d;
	register unsigned long x4 __asm__("x4") = e;
	register unsigned long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory");
	return (long)x0;
}

#endif /* CRIB_RESTORER_SYS_ARCH_H */
