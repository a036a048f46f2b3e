/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pins: loaded programs that stay in the kernel under names in bpffs, so that the next crib need
 * not load them. They are root's alone:
 *
 *   /sys/fs/bpf/crib/KERNEL-PROGRAMS/verdict
 *   /sys/fs/bpf/crib/KERNEL-PROGRAMS/N/{collect,ring,control}
 *
 * Each N is an instance that serves one crib at a time, which holds a lock on its folder: neither
 * ring nor state is ever shared. The verdict is that of the self-test, as the text of a symbolic
 * link, for a bpffs has no files.
 */
#ifndef CRIB_COLLECT_BPF_PIN_H
#define CRIB_COLLECT_BPF_PIN_H

#include <stdbool.h>

#include "collect/bpf/programs.h"
#include "collect/verdict.h"

#define BPF_PIN_ROOT    "/sys/fs/bpf"
#define BPF_PIN_DIR     BPF_PIN_ROOT "/crib"

#define BPF_PIN_ID_SIZE 40

/* True when a bpffs is mounted at BPF_PIN_ROOT and the caller is root. */
bool bpf_pin_possible(void);

/*
 * Takes a pinned instance that nobody uses, and what was found out about it. 0; -ENOENT: there is
 * none; other -errno: what is there is not to be trusted, described.
 */
int bpf_pin_open(struct bpf_programs *programs, struct verdict *ret_verdict, struct err *err);

/*
 * Pins loaded and tested @programs as a further instance and locks it. Pins of other cribs and
 * programs that nobody uses are removed. 0 or -errno, described; @programs work in either case.
 */
int bpf_pin_make(struct bpf_programs *programs, const struct verdict *verdict, struct err *err);

/* After another test of the same programs. Best effort. */
void bpf_pin_judge(const struct verdict *verdict);

/* Mounts a bpffs when there is none. 1: it was mounted now; 0; -errno, described. */
int bpf_pin_mount(struct err *err);

/* Removes all pins, but those in use. Returns the number of instances that stay; -errno. */
int bpf_pin_remove_all(struct err *err);

struct bpf_pin_status {
	char id[BPF_PIN_ID_SIZE]; /* KERNEL-PROGRAMS */
	unsigned int slot;
	bool ours; /* of this kernel and these programs */
	bool in_use;
};

/* Calls @show for every instance. 0 or -errno, described. */
int bpf_pin_each(void (*show)(const struct bpf_pin_status *status, void *ctx), void *ctx,
		 struct err *err);

#endif /* CRIB_COLLECT_BPF_PIN_H */
