/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that never had a name (O_TMPFILE), open twice.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SIZE = 20000 };

int main(void)
{
	char path[64];
	unsigned char buf[SIZE];
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	if (fd < 0)
		zdtm_skip("the file system makes no files without a name: %m");
	mem_fill(buf, SIZE, 1);
	fd_write_all(fd, buf, SIZE);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int reader = fd_open(path, O_RDONLY);
	zdtm_assert(lseek(reader, 99, SEEK_SET) == 99);
	struct fd_state states[] = { fd_state_take(fd), fd_state_take(reader) };
	size_t names = fd_count_names(".");

	zdtm_ready();

	zdtm_assert_eq(fd_count_names("."), names + 1); /* one tells the runner */
	fd_state_check(&states[0]);
	fd_state_check(&states[1]);
	fd_check_content(reader, 0, SIZE, 1);
	zdtm_assert(pwrite(fd, "new", 3, 99) == 3);
	fd_expect(reader, "new");
	zdtm_pass();
}
