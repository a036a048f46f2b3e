/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sixteen AVX registers of a thread that computes, with their upper halves.
 */
#include <string.h>

#include "zdtm.h"

#if defined(__x86_64__)

static uint8_t in[16 * 32], out[16 * 32];

#define ALL(one)                                                                                   \
	one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9) one(10) one(11)      \
		one(12) one(13) one(14) one(15)
#define LOAD(n)  "vmovups 32*" #n "+%[in], %%ymm" #n "\n\t"
#define STORE(n) "vmovups %%ymm" #n ", 32*" #n "+%[out]\n\t"

__attribute__((target("avx"))) static void hold_registers(void)
{
	asm volatile(ALL(LOAD) "1:\tcmpl $0, %[stop]\n\t"
			       "je 1b\n\t" ALL(STORE) "vzeroupper\n\t"
		     : [out] "=o"(out)
		     : [in] "o"(in), [stop] "m"(zdtm_stop)
		     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
		       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc",
		       "memory");
}

int main(void)
{
	if (!__builtin_cpu_supports("avx"))
		zdtm_skip("the processor has no AVX");
	for (unsigned int i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 41 + 7);
	zdtm_start();
	hold_registers();
	zdtm_assert(!memcmp(in, out, sizeof(in)));
	zdtm_pass();
}

#else

int main(void)
{
	zdtm_skip("no AVX on this architecture");
}

#endif
