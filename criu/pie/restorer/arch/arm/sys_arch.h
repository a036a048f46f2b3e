/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls of the restorer blob on 32-bit arm.
 */
#ifndef CRIB_RESTORER_SYS_ARCH_H
#define CRIB_RESTORER_SYS_ARCH_H

#include <asm/unistd.h>

/* r7 is the number of the call; the compiler may want it as frame pointer, so it is moved by hand. */
static inline long sys6(long nr, unsigned long a, unsigned long b, unsigned long c, unsigned long d,
			unsigned long e, unsigned long f)
{
	register unsigned long r0 __asm__("r0") = a;
	register unsigned long r1 __asm__("r1") = b;
	register unsigned long r2 __asm__("r2") = c;
	register unsigned long r3 __asm__("r3") = d;
	register unsigned long r4 __asm__("r4") = e;
	register unsigned long r5 __asm__("r5") = f;
	register long r6 __asm__("r6") = nr;

	__asm__ volatile("push {r7}\n\tmov r7, r6\n\tsvc #0\n\tpop {r7}"
			 : "+r"(r0)
			 : "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5), "r"(r6)
			 : "memory");
	return (long)r0;
}

#endif /* CRIB_RESTORER_SYS_ARCH_H */
