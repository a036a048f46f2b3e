/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each of several ptys keeps its number N of /dev/pts/N, with gaps between them; the program may
 * have told it to others. Both ends are those of one pty.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

enum { N = 6 };

int main(void)
{
	struct pty ptys[N];
	for (size_t i = 0; i < N; i++)
		ptys[i] = pty_open();
	for (size_t i = 1; i < N; i += 2) {
		close(ptys[i].master);
		close(ptys[i].slave);
	}
	/* Against the order of their numbers. */
	fd_move(ptys[0].master, 60);
	fd_move(ptys[4].master, ptys[0].master);
	ptys[4].master = ptys[0].master;
	ptys[0].master = 60;

	zdtm_ready();

	for (size_t i = 0; i < N; i += 2) {
		int index;
		char path[64], link[PATH_MAX];
		struct stat a, b;
		zdtm_assert(!ioctl(ptys[i].master, TIOCGPTN, &index));
		zdtm_assert_eq(index, ptys[i].index);
		snprintf(path, sizeof(path), "/dev/pts/%d", index);
		fd_link(ptys[i].slave, link, sizeof(link));
		zdtm_assert(!strcmp(link, path));
		zdtm_assert(!stat(path, &a) && !fstat(ptys[i].slave, &b));
		zdtm_assert_eq(a.st_rdev, b.st_rdev);
		pty_set_raw(ptys[i].slave);
		fd_write_all(ptys[i].master, path, strlen(path));
		pty_await_input(ptys[i].slave, strlen(path));
		fd_expect(ptys[i].slave, path);
	}
	zdtm_pass();
}
