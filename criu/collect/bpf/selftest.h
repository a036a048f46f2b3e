/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The self-test: CO-RE follows fields that move, but not what they mean. So crib makes one of each
 * object itself, and compares what the BPF engine says of it with what /proc and system calls of
 * these very processes say.
 */
#ifndef CRIB_COLLECT_BPF_SELFTEST_H
#define CRIB_COLLECT_BPF_SELFTEST_H

#include "collect/verdict.h"

/*
 * Tests @bpf and fills state and first of @ret_verdict. 0; -errno, described: it could not be done.
 * Takes about as long as the dump of a small tree.
 */
int bpf_selftest(struct source *bpf, struct verdict *ret_verdict, struct err *err);

/* CRIB_FAIL_SELFTEST=TYPE makes records of that type differ: the value, NULL: not set. */
const char *bpf_selftest_fault(void);

#endif /* CRIB_COLLECT_BPF_SELFTEST_H */
