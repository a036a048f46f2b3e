/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What it takes to load BPF programs that read the kernel's memory.
 */
#ifndef CRIB_COLLECT_BPF_RIGHTS_H
#define CRIB_COLLECT_BPF_RIGHTS_H

#include <stdint.h>

#include "base/err.h"

/*
 * After the kernel has refused the programs: names what is missing, in one line, and returns -EPERM;
 * 0: it was not for lack of rights. What it answers tells little: without CAP_PERFMON, or when it is
 * locked down, a helper of the programs is unknown to it, which is -EINVAL.
 */
int bpf_rights_missing(struct err *err);

/* The same of these effective capabilities and the texts of the files that are looked at. */
int bpf_rights_missing_in(uint64_t capabilities, const char *lockdown, const char *uid_map,
			  struct err *err);

#endif /* CRIB_COLLECT_BPF_RIGHTS_H */
