/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memfds keep name, content with its holes, seals, mode, and the positions of descriptors that were
 * opened apart; a sealed one has its content, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SIZE = 50000, ALL = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static const struct {
	const char *name;
	unsigned int flags;
	int seals; /* to add */
} memfds[] = {
	{ "plain", 0, 0 },
	{ "open for seals", MFD_ALLOW_SEALING | MFD_CLOEXEC, 0 },
	{ "of fixed size", MFD_ALLOW_SEALING, F_SEAL_SHRINK | F_SEAL_GROW },
	{ "read-only", MFD_ALLOW_SEALING, ALL },
	{ "", MFD_ALLOW_SEALING, F_SEAL_SEAL },
};
enum { N = sizeof(memfds) / sizeof(*memfds) };

int main(void)
{
	struct fd_state states[N + 1];
	char links[N][300], now[300], path[64];
	int seals[N];
	unsigned char buf[SIZE];
	for (uint32_t i = 0; i < N; i++) {
		int fd = memfd_create(memfds[i].name, memfds[i].flags);
		zdtm_assert(fd >= 0);
		mem_fill(buf, SIZE, i);
		fd_write_all(fd, buf, SIZE);
		zdtm_assert(!fchmod(fd, 0600 + i));
		if (memfds[i].flags & MFD_ALLOW_SEALING)
			zdtm_assert(!fcntl(fd, F_ADD_SEALS, memfds[i].seals));
		seals[i] = fcntl(fd, F_GET_SEALS);
		zdtm_assert(lseek(fd, 100 + i, SEEK_SET) == 100 + i);
		states[i] = fd_state_take(fd);
		fd_link(fd, links[i], sizeof(links[i]));
	}
	const int fd = states[0].fd;
	const off_t far = (off_t)1 << 32;
	zdtm_assert(pwrite(fd, "far away", 8, far) == 8);
	states[0] = fd_state_take(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int apart = fd_open(path, O_RDONLY);
	zdtm_assert(lseek(apart, far, SEEK_SET) == far);
	states[N] = fd_state_take(apart);

	zdtm_ready();

	for (size_t i = 0; i <= N; i++)
		fd_state_check(&states[i]);
	for (uint32_t i = 0; i < N; i++) {
		fd_check_content(states[i].fd, 0, SIZE, i);
		zdtm_assert_eq(fcntl(states[i].fd, F_GET_SEALS), seals[i]);
		fd_link(states[i].fd, now, sizeof(now));
		if (strcmp(now, links[i]))
			zdtm_fail("memfd %u is called '%s', not '%s'", i, now, links[i]);
	}
	zdtm_assert(pwrite(states[3].fd, "x", 1, 0) < 0 && errno == EPERM);
	zdtm_assert(ftruncate(states[2].fd, 2 * SIZE) < 0 && errno == EPERM);
	zdtm_assert(!fcntl(states[1].fd, F_ADD_SEALS, F_SEAL_GROW));
	fd_expect(apart, "far away");
	zdtm_assert(pwrite(fd, "x", 1, far) == 1 && lseek(apart, far, SEEK_SET) == far);
	fd_expect(apart, "xar away");
	struct stat stat;
	zdtm_assert(!fstat(fd, &stat) && stat.st_blocks < 1000);
	zdtm_pass();
}
