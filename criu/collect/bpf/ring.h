/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader's side of a BPF ring buffer, by the protocol of include/uapi/linux/bpf.h and
 * kernel/bpf/ringbuf.c. Records are looked at where they lie.
 */
#ifndef CRIB_COLLECT_BPF_RING_H
#define CRIB_COLLECT_BPF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bpf_ring {
	unsigned long *consumer; /* where the reader is; mapped, writable */
	const unsigned long *producer;
	const char *data;
	size_t size; /* of the data, a power of two; 0: not mapped */
	size_t page_size;
};

/* Maps the ring of @size bytes behind @map_fd. What an earlier reader left there is dropped. */
int bpf_ring_map(struct bpf_ring *ring, int map_fd, size_t size, struct err *err);
void bpf_ring_unmap(struct bpf_ring *ring);

/*
 * The next record and its length, or NULL: there is none. It is good until bpf_ring_release(),
 * which has to be called before the next one.
 */
const void *bpf_ring_next(struct bpf_ring *ring, size_t *ret_len);
void bpf_ring_release(struct bpf_ring *ring, size_t len);

#endif /* CRIB_COLLECT_BPF_RING_H */
