/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A deleted file above the limit is not dumped: the dump names the option, and the program goes on.
 */
/* refused: ghost-limit */
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { SIZE = 3 << 20 };

int main(void)
{
	fd_make_file("file", SIZE, 1);
	int fd = fd_open("file", O_RDWR);
	zdtm_assert(!unlink("file"));
	struct fd_state state = fd_state_take(fd);

	zdtm_ready();

	fd_state_check_same(&state);
	fd_check_content(fd, 0, SIZE, 1);
	zdtm_pass();
}
