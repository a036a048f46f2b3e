/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is found out about this kernel's build and these programs once, and kept in files for root
 * only: /var/cache/crib/KIND-KERNEL-PROGRAMS.
 */
#ifndef CRIB_COLLECT_BPF_CACHE_H
#define CRIB_COLLECT_BPF_CACHE_H

#include <stddef.h>
#include <stdint.h>

#define BPF_CACHE_DIR "/var/cache/crib"

/* Names this kernel's build and these programs: 16 digits each and a '-'. */
#define BPF_ID_SIZE 34
void bpf_build_id(char ret_id[BPF_ID_SIZE]);

uint64_t bpf_hash(const void *data, size_t len);

/* A descriptor of the file of @kind, or -1: there is none that root alone can have written. */
int bpf_cache_open(const char *kind);

/*
 * Keeps what is in the file @fd, and removes that of other kernels and programs. Best effort: what
 * cannot be kept is found out again.
 */
void bpf_cache_keep(const char *kind, int fd);

#endif /* CRIB_COLLECT_BPF_CACHE_H */
