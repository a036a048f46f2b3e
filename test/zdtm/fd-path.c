/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors opened with O_PATH: of a file, a directory, a symbolic link itself, and a FIFO that
 * nobody may open in earnest, for that would wait.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

int main(void)
{
	fd_make_file("file", 100, 1);
	zdtm_assert(!mkdir("dir", 0755));
	fd_make_file("dir/inside", 100, 2);
	zdtm_assert(!symlink("file", "link") && !symlink("nothing here", "dangling"));
	zdtm_assert(!mkfifo("fifo", 0600));
	int file = fd_open("file", O_PATH), dir = fd_open("dir", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int link = fd_open("link", O_PATH | O_NOFOLLOW);
	int dangling = fd_open("dangling", O_PATH | O_NOFOLLOW);
	int fifo = fd_open("fifo", O_PATH), null = fd_open("/dev/null", O_PATH);
	struct fd_state states[] = { fd_state_take(file), fd_state_take(dir),
				     fd_state_take(link), fd_state_take(dangling),
				     fd_state_take(fifo), fd_state_take(null) };

	zdtm_ready();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check_same(&states[i]);
	char buf[PATH_MAX];
	zdtm_assert(read(file, buf, 1) < 0 && errno == EBADF);
	zdtm_assert(fcntl(file, F_GETFL) & O_PATH);
	int inside = openat(dir, "inside", O_RDONLY);
	zdtm_assert(inside >= 0);
	fd_check_content(inside, 0, 100, 2);
	ssize_t n = readlinkat(link, "", buf, sizeof(buf));
	zdtm_assert(n == 4 && !memcmp(buf, "file", 4));
	n = readlinkat(dangling, "", buf, sizeof(buf));
	zdtm_assert(n == 12 && !memcmp(buf, "nothing here", 12));
	zdtm_pass();
}
