// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of machines, see machine.h.
 */
#include <stdio.h>

#include "image/machine.h"

static const char *const names[] = {
	[CORE_ENTRY__MARCH__X86_64] = "x86_64",
	[CORE_ENTRY__MARCH__ARM] = "arm",
	[CORE_ENTRY__MARCH__AARCH64] = "arm64",
	[CORE_ENTRY__MARCH__PPC64] = "ppc64",
	[CORE_ENTRY__MARCH__S390] = "s390",
	[CORE_ENTRY__MARCH__MIPS] = "mips",
	[CORE_ENTRY__MARCH__LOONGARCH64] = "loongarch64",
	[CORE_ENTRY__MARCH__RISCV64] = "riscv64",
};

CoreEntry__March machine_march(void)
{
#if defined(__x86_64__)
	return CORE_ENTRY__MARCH__X86_64;
#elif defined(__aarch64__)
	return CORE_ENTRY__MARCH__AARCH64;
#elif defined(__arm__)
	return CORE_ENTRY__MARCH__ARM;
#else
	return CORE_ENTRY__MARCH__UNKNOWN;
#endif
}

const char *machine_name(uint32_t march, char *buf, size_t size)
{
	if (march < ARRAY_SIZE(names) && names[march])
		return names[march];
	snprintf(buf, size, "march %u", march);
	return buf;
}
