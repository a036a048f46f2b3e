/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A deleted file whose name now belongs to another file, to a directory, or to a second deleted
 * file: each keeps its own content and the name stays with its new owner.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { SIZE = 5000 };

int main(void)
{
	fd_make_file("file", SIZE, 1);
	int first = fd_open("file", O_RDWR);
	zdtm_assert(!unlink("file"));
	fd_make_file("file", SIZE, 2);
	int second = fd_open("file", O_RDWR);
	zdtm_assert(!unlink("file"));
	fd_make_file("file", SIZE, 3);
	int third = fd_open("file", O_RDWR);

	fd_make_file("dir", SIZE, 4);
	int below_dir = fd_open("dir", O_RDONLY);
	zdtm_assert(!unlink("dir") && !mkdir("dir", 0755));
	fd_make_file("dir/inside", SIZE, 5);
	int inside = fd_open("dir/inside", O_RDONLY);
	zdtm_assert(!unlink("dir/inside") && !rmdir("dir"));

	fd_make_file("over", SIZE, 6);
	fd_make_file("new", SIZE, 7);
	int over = fd_open("over", O_RDONLY);
	zdtm_assert(!rename("new", "over"));
	struct fd_state states[] = { fd_state_take(first), fd_state_take(second),
				     fd_state_take(below_dir), fd_state_take(inside),
				     fd_state_take(over) };
	struct fd_state existing = fd_state_take(third);

	zdtm_ready();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check(&states[i]);
	fd_state_check_same(&existing);
	fd_check_content(first, 0, SIZE, 1);
	fd_check_content(second, 0, SIZE, 2);
	fd_check_content(third, 0, SIZE, 3);
	fd_check_content(below_dir, 0, SIZE, 4);
	fd_check_content(inside, 0, SIZE, 5);
	fd_check_content(over, 0, SIZE, 6);
	int reopened = fd_open("file", O_RDONLY);
	fd_check_content(reopened, 0, SIZE, 3);
	reopened = fd_open("over", O_RDONLY);
	fd_check_content(reopened, 0, SIZE, 7);
	zdtm_assert(access("dir", F_OK));
	zdtm_pass();
}
