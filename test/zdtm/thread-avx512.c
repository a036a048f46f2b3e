/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The thirty-two AVX-512 registers of a thread that computes, and its mask registers.
 */
#include <string.h>

#include "zdtm.h"

#if defined(__x86_64__)

enum { MASKS = 7 }; /* k1 to k7 */

static uint8_t in[32 * 64], out[32 * 64];
static uint64_t masks_in[MASKS], masks_out[MASKS];

#define ALL(one)                                                                                   \
	one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7) one(8) one(9) one(10) one(11)      \
		one(12) one(13) one(14) one(15) one(16) one(17) one(18) one(19) one(20) one(21)    \
			one(22) one(23) one(24) one(25) one(26) one(27) one(28) one(29) one(30)    \
				one(31)
#define LOAD(n)        "vmovups 64*" #n "+%[in], %%zmm" #n "\n\t"
#define STORE(n)       "vmovups %%zmm" #n ", 64*" #n "+%[out]\n\t"
#define ALL_MASKS(one) one(1) one(2) one(3) one(4) one(5) one(6) one(7)
#define LOAD_MASK(n)   "kmovq 8*(" #n "-1)+%[masks_in], %%k" #n "\n\t"
#define STORE_MASK(n)  "kmovq %%k" #n ", 8*(" #n "-1)+%[masks_out]\n\t"

__attribute__((target("avx512f,avx512bw"))) static void hold_registers(void)
{
	asm volatile(ALL(LOAD) ALL_MASKS(LOAD_MASK) "1:\tcmpl $0, %[stop]\n\t"
						    "je 1b\n\t" ALL(STORE)
							    ALL_MASKS(STORE_MASK) "vzeroall\n\t"
		     : [out] "=o"(out), [masks_out] "=o"(masks_out)
		     : [in] "o"(in), [masks_in] "o"(masks_in), [stop] "m"(zdtm_stop)
		     : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
		       "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "xmm16",
		       "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24",
		       "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2",
		       "k3", "k4", "k5", "k6", "k7", "cc", "memory");
}

int main(void)
{
	if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw"))
		zdtm_skip("the processor has no AVX-512");
	for (unsigned int i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 43 + i / 64 + 3);
	for (uint64_t i = 0; i < MASKS; i++)
		masks_in[i] = 0xf0e1d2c3b4a59687 * (2 * i + 1);
	zdtm_start();
	hold_registers();
	zdtm_assert(!memcmp(in, out, sizeof(in)));
	zdtm_assert(!memcmp(masks_in, masks_out, sizeof(masks_in)));
	zdtm_pass();
}

#else

int main(void)
{
	zdtm_skip("no AVX-512 on this architecture");
}

#endif
