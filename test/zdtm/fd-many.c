/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two thousand files, each with its own position.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { COUNT = 2000, SIZE = 64 };

int main(void)
{
	static int fds[COUNT];
	char path[32];
	fd_want_numbers(COUNT + 100);
	for (uint32_t i = 0; i < COUNT; i++) {
		snprintf(path, sizeof(path), "file-%u", i);
		fd_make_file(path, SIZE, i);
		fds[i] = fd_open(path, i % 2 ? O_RDONLY : O_RDWR);
		zdtm_assert(lseek(fds[i], i % SIZE, SEEK_SET) == i % SIZE);
	}

	zdtm_ready();

	for (uint32_t i = 0; i < COUNT; i++) {
		zdtm_assert_eq(lseek(fds[i], 0, SEEK_CUR), i % SIZE);
		zdtm_assert_eq(fcntl(fds[i], F_GETFL) & O_ACCMODE, i % 2 ? O_RDONLY : O_RDWR);
		fd_check_content(fds[i], 0, SIZE, i);
	}
	zdtm_pass();
}
