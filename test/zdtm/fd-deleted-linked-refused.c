/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A deleted file that has another name somewhere cannot be named without --link-remap: the dump
 * says so, and the program goes on.
 */
/* refused: link-remap */
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

int main(void)
{
	fd_make_file("opened", 1000, 1);
	int fd = fd_open("opened", O_RDWR);
	zdtm_assert(!link("opened", "other name") && !unlink("opened"));
	struct fd_state state = fd_state_take(fd);
	size_t names = fd_count_names(".");

	zdtm_ready();

	zdtm_assert_eq(fd_count_names("."), names + 1); /* one tells the runner */
	fd_state_check_same(&state);
	fd_check_content(fd, 0, 1000, 1);
	zdtm_pass();
}
