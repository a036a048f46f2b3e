/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Regular files keep position, access mode and flags, and none of what open() did once is done
 * again: no file is made, emptied or found to exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SIZE = 10000 };

static const struct {
	int flags;
	off_t pos;
} opens[] = {
	{ O_RDONLY, 0 },
	{ O_RDONLY | O_NONBLOCK, 4321 },
	{ O_WRONLY, 100 },
	{ O_WRONLY | O_APPEND, 0 },
	{ O_RDWR, SIZE },
	{ O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC, 77 },
	{ O_RDWR | O_DSYNC, SIZE + 1000 },
	{ O_RDWR | O_SYNC, (off_t)5 << 30 },
	{ O_RDONLY | O_NOATIME, 5 },
	{ O_RDWR | O_DIRECT, 4096 },
	{ O_RDONLY | O_NOFOLLOW, 6 },
	{ O_RDWR | O_CREAT, 7 },
};
enum { N = sizeof(opens) / sizeof(*opens) };

/* Reads and writes through @before->fd, of "file", what its mode and position allow. */
static void use(const struct fd_state *before)
{
	int fd = before->fd;
	char byte, expected[SIZE];
	mem_fill(expected, SIZE, 1);
	int mode = before->status & O_ACCMODE;
	if (mode == O_WRONLY)
		zdtm_assert(read(fd, &byte, 1) < 0 && errno == EBADF);
	else if (!(before->status & O_DIRECT) && before->pos < SIZE)
		zdtm_assert(read(fd, &byte, 1) == 1 && byte == expected[before->pos]);
	if (before->status & O_APPEND) {
		zdtm_assert(write(fd, "x", 1) == 1);
		zdtm_assert_eq(lseek(fd, 0, SEEK_CUR), lseek(fd, 0, SEEK_END));
	} else if (mode == O_RDONLY) {
		zdtm_assert(write(fd, "x", 1) < 0 && errno == EBADF);
	}
}

int main(void)
{
	struct fd_state states[N + 2];
	size_t n = 0;
	fd_make_file("file", SIZE, 1);
	for (size_t i = 0; i < N; i++) {
		int fd = open("file", opens[i].flags, 0644);
		if (fd < 0 && errno == EINVAL && opens[i].flags & O_DIRECT)
			continue; /* not every file system can do it */
		zdtm_assert(fd >= 0);
		zdtm_assert_eq(lseek(fd, opens[i].pos, SEEK_SET), opens[i].pos);
		states[n++] = fd_state_take(fd);
	}
	int created = fd_open("created", O_RDWR | O_CREAT | O_EXCL | O_TRUNC);
	zdtm_assert(write(created, "content", 7) == 7);
	states[n++] = fd_state_take(created);
	fd_make_file("emptied", SIZE, 2);
	int emptied = fd_open("emptied", O_WRONLY | O_TRUNC);
	zdtm_assert(write(emptied, "new", 3) == 3);
	states[n++] = fd_state_take(emptied);

	zdtm_ready();

	for (size_t i = 0; i < n; i++)
		fd_state_check_same(&states[i]);
	fd_check_content(states[0].fd, 0, SIZE, 1);
	zdtm_assert_eq(lseek(created, 0, SEEK_SET), 0);
	fd_expect(created, "content");
	for (size_t i = 0; i < n - 2; i++)
		use(&states[i]);
	zdtm_pass();
}
