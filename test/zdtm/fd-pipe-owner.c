/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pipe keeps its owner and mode, by which its user may open it again as /proc/self/fd/N; and
 * descriptions that were opened so have flags and position of their own.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { USER = 1234 };

static int reopen(int fd, int flags)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd_open(path, flags);
}

/* Of the child only the description that was opened again is left. */
static int child(void *arg)
{
	int *fds = arg;
	close(fds[0]);
	close(fds[1]);
	zdtm_child_wait();
	fd_write_all(fds[2], "child", 5);
	return 0;
}

int main(void)
{
	int fds[3];
	zdtm_assert(!pipe(fds));
	if (geteuid() || fchown(fds[0], USER, USER))
		zdtm_skip("only root can give a pipe away");
	zdtm_assert(!fchmod(fds[0], 0640));
	fds[2] = reopen(fds[1], O_WRONLY | O_NONBLOCK);
	int both = reopen(fds[0], O_RDWR);
	pid_t pid = zdtm_spawn(child, fds);
	struct fd_state states[] = { fd_state_take(fds[0]), fd_state_take(fds[1]),
				     fd_state_take(fds[2]), fd_state_take(both) };

	zdtm_ready();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check(&states[i]);
	zdtm_join(pid);
	fd_expect(fds[0], "child");
	fd_write_all(both, "both", 4);
	fd_expect(fds[0], "both");
	zdtm_assert(!setresuid(USER, USER, USER));
	close(reopen(fds[0], O_RDONLY));
	zdtm_pass();
}
