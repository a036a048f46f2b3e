/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Contents of shared anonymous memory and memfds, read through a descriptor of the object: what a
 * task has mapped says nothing about pages that only others touched.
 */
#ifndef CRIB_MEM_SHMEM_H
#define CRIB_MEM_SHMEM_H

#include "mem/mem.h"

/* A descriptor of the object for reading; the caller's. Or -errno. */
int shmem_open(const struct shmem *shmem, struct err *err);

/* Fills shmem->pages with the ranges that are not holes. 0 or -errno. */
int shmem_scan(struct snapshot *snap, struct shmem *shmem, struct mem_stats *stats,
	       struct err *err);

#endif /* CRIB_MEM_SHMEM_H */
