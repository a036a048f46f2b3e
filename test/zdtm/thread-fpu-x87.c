/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The x87 unit of a thread that computes: its eight registers, control word and status word.
 */
#include "zdtm.h"

#if defined(__x86_64__)

enum { ROUND_DOWN_SINGLE = 0x047f }; /* rounds down, single precision, all exceptions masked */

/* An odd number of registers in use, so that top-of-stack and tags matter. */
static long double in[5] = { 1.5L, -2.25L, 3e4000L, -4e-4000L, 5.0L }, out[5];
static uint16_t control_in = ROUND_DOWN_SINGLE, control_out, status_in, status_out;

static void hold_registers(void)
{
	asm volatile("fninit\n\t"
		     "fldt 64+%[in]\n\t"
		     "fldt 48+%[in]\n\t"
		     "fldt 32+%[in]\n\t"
		     "fldt 16+%[in]\n\t"
		     "fldt 0+%[in]\n\t"
		     "fldcw %[control_in]\n\t"
		     "fldz\n\t"
		     "fld1\n\t"
		     "fdivp\n\t" /* 1 / 0 leaves a flag in the status word */
		     "fstp %%st(0)\n\t"
		     "fnstsw %[status_in]\n"
		     "1:\tcmpl $0, %[stop]\n\t"
		     "je 1b\n\t"
		     "fnstsw %[status_out]\n\t"
		     "fnstcw %[control_out]\n\t"
		     "fstpt 0+%[out]\n\t"
		     "fstpt 16+%[out]\n\t"
		     "fstpt 32+%[out]\n\t"
		     "fstpt 48+%[out]\n\t"
		     "fstpt 64+%[out]\n\t"
		     "fninit\n\t"
		     : [out] "=o"(out), [status_in] "=m"(status_in), [status_out] "=m"(status_out),
		       [control_out] "=m"(control_out)
		     : [in] "o"(in), [control_in] "m"(control_in), [stop] "m"(zdtm_stop)
		     : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc",
		       "memory");
}

int main(void)
{
	zdtm_start();
	hold_registers();
	for (int i = 0; i < 5; i++)
		zdtm_assert(in[i] == out[i]);
	zdtm_assert_eq(control_out, control_in);
	zdtm_assert_eq(status_out, status_in);
	zdtm_assert(status_in & 4); /* division by zero */
	zdtm_pass();
}

#else

int main(void)
{
	zdtm_skip("no x87 on this architecture");
}

#endif
