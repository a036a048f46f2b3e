/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device that crib knows nothing of is refused with its name and numbers.
 */
/* refused: '/dev/fuse', device 10:229 */
#include <fcntl.h>

#include "zdtm.h"

int main(void)
{
	int fd = open("/dev/fuse", O_RDWR);
	if (fd < 0)
		zdtm_skip("no /dev/fuse: %m");

	zdtm_ready();

	zdtm_assert_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	zdtm_pass();
}
