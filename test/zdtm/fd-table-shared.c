/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two processes with one table of descriptors (clone with CLONE_FILES) still have one: what either
 * opens or closes the other sees.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { BY_PARENT = 70, BY_CHILD = 71, TO_CLOSE = 72 };

static int child(void)
{
	zdtm_wait();
	fd_check_content(BY_PARENT, 0, 100, 2);
	close(TO_CLOSE);
	fd_move(fd_open("by child", O_RDONLY), BY_CHILD);
	return 0;
}

int main(void)
{
	fd_make_file("before", 100, 1);
	fd_make_file("by parent", 100, 2);
	fd_make_file("by child", 100, 3);
	fd_move(fd_open("before", O_RDONLY), TO_CLOSE);
	pid_t pid = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	zdtm_assert(pid >= 0);
	if (!pid)
		_exit(child());
	int late = fd_open("before", O_RDONLY); /* after the clone, and yet the child has it */

	zdtm_ready();

	fd_check_content(TO_CLOSE, 0, 100, 1);
	fd_check_content(late, 0, 100, 1);
	fd_move(fd_open("by parent", O_RDONLY), BY_PARENT);
	zdtm_join(pid);
	fd_check_closed(TO_CLOSE);
	fd_check_content(BY_CHILD, 0, 100, 3);
	zdtm_pass();
}
