/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of an io_uring is refused in words, also when the descriptor is closed.
 */
/* refused: is an io_uring: not supported */
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

int main(void)
{
	struct io_uring_params params;
	memset(&params, 0, sizeof(params));
	int fd = (int)syscall(SYS_io_uring_setup, 4, &params);
	if (fd < 0)
		zdtm_skip("no io_uring: %m");
	size_t size = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
	char *ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	zdtm_assert(ring != MAP_FAILED);
	close(fd);

	zdtm_ready();

	uint32_t entries;
	memcpy(&entries, ring + params.sq_off.ring_entries, sizeof(entries));
	zdtm_assert_eq(entries, params.sq_entries);
	zdtm_pass();
}
