/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF program, ready to run: one instance of it, with its memory and its ring, which serves one
 * caller at a time.
 */
#ifndef CRIB_COLLECT_BPF_PROGRAMS_H
#define CRIB_COLLECT_BPF_PROGRAMS_H

#include "base/err.h"
#include "collect/bpf/ring.h"
#include "collect/source.h"
#include "crib/bpf_abi.h"

struct bpf_object;

struct bpf_programs {
	struct bpf_object *object; /* libbpf's, owns the descriptors; NULL: they come from bpffs */
	int program_fd, ring_fd, control_fd;
	int lock_fd;                 /* of the pinned instance, -1: it is not pinned */
	uint64_t tag;                /* the kernel's hash of the program's instructions */
	struct run_control *control; /* mapped */
	struct bpf_ring ring;
};

#define BPF_RING_SIZE (256 * 1024) /* a power of two and a multiple of the page size */

/*
 * Loads the program into the kernel, with the type information in file @btf, or the kernel's own
 * when that is NULL. 0; -EPERM: what is missing is named; -ENOTSUP: there is no type information;
 * other -errno, described. End them by bpf_programs_close().
 */
int bpf_programs_load(struct bpf_programs *programs, size_t ring_size, const char *btf,
		      struct err *err);
void bpf_programs_close(struct bpf_programs *programs);

/* For who gets the descriptors elsewhere: all -1; then the memory behind them. */
void bpf_programs_init(struct bpf_programs *programs);
int bpf_programs_map(struct bpf_programs *programs, size_t ring_size, struct err *err);

/* Runs the program for @group with @cursor. 0 or -errno, described. */
int bpf_programs_run(struct bpf_programs *programs, enum rec_group group, struct run_cursor *cursor,
		     struct err *err);

#endif /* CRIB_COLLECT_BPF_PROGRAMS_H */
