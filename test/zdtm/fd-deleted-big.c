/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A deleted file of 3 MB is dumped with a higher --ghost-limit.
 */
/* crib-dump: --ghost-limit 4M */
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
	zdtm_assert(lseek(fd, SIZE / 2, SEEK_SET) == SIZE / 2);
	struct fd_state state = fd_state_take(fd);

	zdtm_ready();

	fd_state_check(&state);
	fd_check_content(fd, 0, SIZE, 1);
	zdtm_pass();
}
