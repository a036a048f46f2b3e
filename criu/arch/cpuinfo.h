/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an architecture says of its processor, for cpuinfo.img (--cpu-cap). One that has no such
 * message gives NULL and agrees with everything.
 */
#ifndef CRIB_ARCH_CPUINFO_H
#define CRIB_ARCH_CPUINFO_H

#include "base/err.h"
#include "model/snapshot.h"

/* What has to be the same; the bits of --cpu-cap. */
enum arch_cpu_check {
	ARCH_CPU_FPU = 1 << 0, /* every state component of the image is here */
	ARCH_CPU_INS = 1 << 1, /* every instruction set of the image is here */
	ARCH_CPU_CPU = 1 << 2, /* the same model with the same features */
};

/* The processor that crib runs on, in @arena. */
CpuinfoEntry *arch_cpuinfo(struct arena *arena);

/*
 * Can what was dumped on @image run on @own? @checks: of enum arch_cpu_check.
 * 0; -ENOTSUP with what is missing; -EBADMSG: the message cannot be understood.
 */
int arch_cpuinfo_check(const CpuinfoEntry *image, const CpuinfoEntry *own, uint32_t checks,
		       struct err *err);

#endif /* CRIB_ARCH_CPUINFO_H */
