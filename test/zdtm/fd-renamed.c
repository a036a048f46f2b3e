/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files that were renamed, replaced or linked elsewhere after they were opened: each descriptor has
 * its own inode, under whichever name that has now.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SIZE = 3000 };

int main(void)
{
	fd_make_file("a", SIZE, 1);
	fd_make_file("b", SIZE, 2);
	int a = fd_open("a", O_RDWR), b = fd_open("b", O_RDWR);
	zdtm_assert(lseek(a, 10, SEEK_SET) == 10 && lseek(b, 20, SEEK_SET) == 20);
	zdtm_assert(!rename("a", "tmp") && !rename("b", "a") && !rename("tmp", "b"));

	fd_make_file("linked", SIZE, 3);
	int linked = fd_open("linked", O_RDONLY);
	zdtm_assert(!link("linked", "second name"));

	zdtm_assert(!mkdir("dir", 0755));
	fd_make_file("dir/file", SIZE, 4);
	int moved = fd_open("dir/file", O_RDONLY), dir = fd_open("dir", O_RDONLY | O_DIRECTORY);
	zdtm_assert(!rename("dir", "other dir"));
	struct fd_state states[] = { fd_state_take(a), fd_state_take(b), fd_state_take(linked),
				     fd_state_take(moved), fd_state_take(dir) };

	zdtm_ready();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check_same(&states[i]);
	fd_check_content(a, 0, SIZE, 1);
	fd_check_content(b, 0, SIZE, 2);
	fd_check_content(linked, 0, SIZE, 3);
	fd_check_content(moved, 0, SIZE, 4);
	zdtm_assert(!faccessat(dir, "file", F_OK, 0));
	zdtm_assert(access("dir", F_OK) && access("tmp", F_OK));
	zdtm_pass();
}
