/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The character devices that every machine has: null, zero, full, random and urandom.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

static const struct {
	const char *path;
	int flags;
} devices[] = {
	{ "/dev/null", O_RDWR },
	{ "/dev/null", O_WRONLY | O_APPEND | O_CLOEXEC },
	{ "/dev/zero", O_RDONLY },
	{ "/dev/full", O_RDWR },
	{ "/dev/random", O_RDONLY | O_NONBLOCK },
	{ "/dev/urandom", O_RDONLY },
};
enum { N = sizeof(devices) / sizeof(*devices) };

int main(void)
{
	struct fd_state states[N];
	for (size_t i = 0; i < N; i++)
		states[i] = fd_state_take(fd_open(devices[i].path, devices[i].flags));

	zdtm_ready();

	unsigned char buf[64] = { 1 };
	for (size_t i = 0; i < N; i++) {
		fd_state_check(&states[i]);
		struct fd_state now = fd_state_take(states[i].fd);
		zdtm_assert_eq(now.stat.st_rdev, states[i].stat.st_rdev);
	}
	zdtm_assert_eq(read(states[0].fd, buf, sizeof(buf)), 0);
	zdtm_assert_eq(write(states[1].fd, buf, sizeof(buf)), sizeof(buf));
	zdtm_assert_eq(read(states[2].fd, buf, sizeof(buf)), sizeof(buf));
	mem_check_zero(buf, sizeof(buf), "/dev/zero");
	zdtm_assert(write(states[3].fd, buf, 1) < 0 && errno == ENOSPC);
	for (size_t i = 4; i < N; i++) {
		size_t zeroes = 0;
		zdtm_assert_eq(read(states[i].fd, buf, sizeof(buf)), sizeof(buf));
		for (size_t k = 0; k < sizeof(buf); k++)
			zeroes += !buf[k];
		zdtm_assert(zeroes < sizeof(buf) / 2);
	}
	zdtm_pass();
}
