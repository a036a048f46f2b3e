/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File leases with --file-locks: held again, and broken by a signal when somebody opens the file.
 */
/* crib-dump: --file-locks */
/* crib-restore: --file-locks */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

static int new_lease(const char *path, int open_flags, int lease)
{
	fd_make_file(path, 100, 1);
	int fd = fd_open(path, open_flags);
	if (fcntl(fd, F_SETLEASE, lease))
		zdtm_skip("no lease of a file here: %m");
	return fd;
}

int main(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &set, NULL));
	int write = new_lease("write", O_RDWR, F_WRLCK);
	int read = new_lease("read", O_RDONLY, F_RDLCK);

	zdtm_ready();

	siginfo_t info;
	const struct timespec none = { 0 };
	zdtm_assert(sigtimedwait(&set, &info, &none) < 0 && errno == EAGAIN);
	zdtm_assert_eq(fcntl(write, F_GETLEASE), F_WRLCK);
	zdtm_assert_eq(fcntl(read, F_GETLEASE), F_RDLCK);
	zdtm_assert(open("read", O_WRONLY | O_NONBLOCK) < 0 && errno == EWOULDBLOCK);
	zdtm_assert_eq(sigtimedwait(&set, &info, &none), SIGIO);
	zdtm_assert(open("write", O_RDONLY | O_NONBLOCK) < 0 && errno == EWOULDBLOCK);
	zdtm_assert_eq(sigtimedwait(&set, &info, &none), SIGIO);
	zdtm_assert(!fcntl(read, F_SETLEASE, F_UNLCK) && !fcntl(write, F_SETLEASE, F_UNLCK));
	zdtm_pass();
}
