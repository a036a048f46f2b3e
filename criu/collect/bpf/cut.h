/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cut of the kernel's type information (BTF): only the structs and fields that the programs read.
 * Against it they are loaded four times faster than against the whole, so it is kept.
 */
#ifndef CRIB_COLLECT_BPF_CUT_H
#define CRIB_COLLECT_BPF_CUT_H

#include <stdbool.h>

#include "base/err.h"

struct btf;

/* Whether the kernel offers its type information. */
bool bpf_cut_possible(void);

/*
 * Opens the cut for @local, the programs' own type information, on this kernel; makes it, and keeps
 * it when that can be done. With @file, BTF or an ELF file that holds it, it is cut from that and
 * not kept. Returns a descriptor of the raw BTF; -ENOTSUP: the kernel offers none; other -errno,
 * described.
 */
int bpf_cut_open(const struct btf *local, const char *file, struct err *err);

#endif /* CRIB_COLLECT_BPF_CUT_H */
