// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading a BPF ring buffer, see ring.h.
 */
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect/bpf/ring.h"

/* One page of the consumer's, one of the producer's, and the data twice in a row. */
int bpf_ring_map(struct bpf_ring *ring, int map_fd, size_t size, struct err *err)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*ring = (struct bpf_ring){ 0 };
	void *consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return err_sys(err, "mmap the consumer page of the BPF ring");
	void *producer = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, map_fd, (off_t)page);
	if (producer == MAP_FAILED) {
		int ret = err_sys(err, "mmap the %zu bytes of the BPF ring", size);

		munmap(consumer, page);
		return ret;
	}
	ring->consumer = consumer;
	ring->producer = producer;
	ring->data = (const char *)producer + page;
	ring->size = size;
	ring->page_size = page;
	__atomic_store_n(ring->consumer, __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
	return 0;
}

void bpf_ring_unmap(struct bpf_ring *ring)
{
	if (!ring->size)
		return;
	munmap(ring->consumer, ring->page_size);
	munmap((void *)ring->producer, ring->page_size + 2 * ring->size);
	ring->size = 0;
}

const void *bpf_ring_next(struct bpf_ring *ring, size_t *ret_len)
{
	unsigned long at = *ring->consumer;

	if (at == __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE))
		return NULL;
	const char *head = ring->data + (at & (ring->size - 1));
	uint32_t len = __atomic_load_n((const uint32_t *)head, __ATOMIC_ACQUIRE);
	/* The program is not running: nothing is half written, and nothing is ever discarded. */
	if (len & (BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT))
		return NULL;
	*ret_len = len;
	return head + BPF_RINGBUF_HDR_SZ;
}

void bpf_ring_release(struct bpf_ring *ring, size_t len)
{
	unsigned long step = (unsigned long)(len + BPF_RINGBUF_HDR_SZ + 7) & ~7UL;

	__atomic_store_n(ring->consumer, *ring->consumer + step, __ATOMIC_RELEASE);
}
