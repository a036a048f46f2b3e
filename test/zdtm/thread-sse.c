/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sixteen SSE registers of a thread that computes, and its MXCSR.
 */
#include <string.h>

#include "zdtm.h"

#if defined(__x86_64__)

#include <xmmintrin.h>

static uint8_t in[16 * 16] __attribute__((aligned(16))), out[16 * 16] __attribute__((aligned(16)));

#define ALL(one)                                                                                   \
	one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9) one(10) one(11)      \
		one(12) one(13) one(14) one(15)
#define LOAD(n)  "movaps 16*" #n "+%[in], %%xmm" #n "\n\t"
#define STORE(n) "movaps %%xmm" #n ", 16*" #n "+%[out]\n\t"

static void hold_registers(void)
{
	asm volatile(ALL(LOAD) "1:\tcmpl $0, %[stop]\n\t"
			       "je 1b\n\t" ALL(STORE)
		     : [out] "=o"(out)
		     : [in] "o"(in), [stop] "m"(zdtm_stop)
		     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
		       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",
		       "memory");
}

int main(void)
{
	for (unsigned int i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 37 + 11);
	/* Rounds up, flushes to zero, and one sticky exception. */
	unsigned int control =
		_MM_ROUND_UP | _MM_FLUSH_ZERO_ON | _MM_MASK_MASK | _MM_EXCEPT_INEXACT;
	_mm_setcsr(control);
	zdtm_start();
	hold_registers();
	zdtm_assert_eq(_mm_getcsr(), control);
	zdtm_assert(!memcmp(in, out, sizeof(in)));
	zdtm_pass();
}

#else

int main(void)
{
	zdtm_skip("no SSE on this architecture");
}

#endif
