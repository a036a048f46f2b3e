/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A deleted file of many gigabytes with little in it: it is below the limit for what it has, and
 * has its holes again.
 */
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { DATA = 8192 };

int main(void)
{
	const off_t size = (off_t)20 << 30;
	const off_t places[] = { 1 << 20, (off_t)6 << 30, size - 3 * DATA };
	enum { N = sizeof(places) / sizeof(*places) };
	unsigned char buf[DATA];
	int fd = fd_open("file", O_RDWR | O_CREAT);
	if (ftruncate(fd, size))
		zdtm_skip("no file of %lld bytes: %m", (long long)size);
	for (uint32_t i = 0; i < N; i++) {
		mem_fill(buf, sizeof(buf), i);
		zdtm_assert(pwrite(fd, buf, sizeof(buf), places[i]) == sizeof(buf));
	}
	zdtm_assert(!unlink("file"));
	zdtm_assert(lseek(fd, size - 1, SEEK_SET) == size - 1);
	struct fd_state state = fd_state_take(fd);

	zdtm_ready();

	fd_state_check(&state);
	for (uint32_t i = 0; i < N; i++)
		fd_check_content(fd, places[i], DATA, i);
	zdtm_assert(pread(fd, buf, sizeof(buf), (off_t)9 << 30) == sizeof(buf));
	mem_check_zero(buf, sizeof(buf), "hole");
	struct stat stat;
	zdtm_assert(!fstat(fd, &stat));
	zdtm_assert(stat.st_blocks * 512 < 1 << 20);
	zdtm_pass();
}
