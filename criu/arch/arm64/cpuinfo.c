// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image format has no message for processors of this architecture, see cpuinfo.h.
 */
#include "arch/cpuinfo.h"

CpuinfoEntry *arch_cpuinfo(struct arena *arena)
{
	return NULL;
}

int arch_cpuinfo_check(const CpuinfoEntry *image, const CpuinfoEntry *own, uint32_t checks,
		       struct err *err)
{
	return 0;
}
