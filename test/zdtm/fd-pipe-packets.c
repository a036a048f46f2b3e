/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pipe in packet mode (O_DIRECT) keeps its packets apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { MOST = 4096 };

static const size_t sizes[] = { 1, 100, 4096, 7, 7, 2000 };
enum { N = sizeof(sizes) / sizeof(*sizes) };

int main(void)
{
	int fds[2];
	char buf[2 * MOST];
	zdtm_assert(!pipe2(fds, O_DIRECT | O_NONBLOCK));
	for (uint32_t i = 0; i < N; i++) {
		mem_fill(buf, sizes[i], i);
		zdtm_assert_eq(write(fds[1], buf, sizes[i]), sizes[i]);
	}
	struct fd_state states[] = { fd_state_take(fds[0]), fd_state_take(fds[1]) };

	zdtm_ready();

	fd_state_check(&states[0]);
	fd_state_check(&states[1]);
	for (uint32_t i = 0; i < N; i++) {
		zdtm_assert_eq(read(fds[0], buf, sizeof(buf)), sizes[i]);
		mem_check(buf, sizes[i], i, "packet");
	}
	zdtm_assert(read(fds[0], buf, sizeof(buf)) < 0 && errno == EAGAIN);
	zdtm_assert(write(fds[1], "a", 1) == 1 && write(fds[1], "b", 1) == 1);
	zdtm_assert_eq(read(fds[0], buf, sizeof(buf)), 1);
	zdtm_pass();
}
