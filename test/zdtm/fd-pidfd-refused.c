/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pidfd is refused in words, and still leads to its process.
 */
/* refused: a pidfd */
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

int main(void)
{
	pid_t pid = zdtm_spawn(zdtm_child_stays, NULL);
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		zdtm_skip("no pidfds: %m");

	zdtm_ready();

	zdtm_assert(!syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
	zdtm_join(pid);
	zdtm_pass();
}
