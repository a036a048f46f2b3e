/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * File locks with --file-locks: of the whole file (flock), of ranges by process (POSIX) and by open
 * file (OFD), for reading and for writing, and a lock that parent and child hold together.
 */
/* crib-dump: --file-locks */
/* crib-restore: --file-locks */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { SIZE = 1000 };

static int common;

static int child(void *arg)
{
	int own = fd_open("posix", O_RDWR);
	struct flock lock = { .l_type = F_WRLCK, .l_start = 500, .l_len = 10 };
	(void)arg;
	zdtm_assert(!fcntl(own, F_SETLK, &lock));
	zdtm_child_wait();
	/* Together with the parent, which has closed its descriptor meanwhile. */
	int other = fd_open("common", O_RDWR);
	zdtm_assert(flock(other, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	zdtm_assert(!flock(common, LOCK_UN));
	zdtm_assert(!flock(other, LOCK_SH | LOCK_NB));
	return 0;
}

/* What stands against a write lock of one byte at @start, asked by another open file. */
static struct flock ask(const char *path, off_t start)
{
	int fd = fd_open(path, O_RDWR);
	struct flock lock = { .l_type = F_WRLCK, .l_start = start, .l_len = 1 };
	zdtm_assert(!fcntl(fd, F_OFD_GETLK, &lock));
	/* Closing it here would take our own POSIX locks away. */
	return lock;
}

static void check_lock(const char *path, struct flock expected)
{
	struct flock lock = ask(path, expected.l_start);
	if (lock.l_type != expected.l_type || lock.l_start != expected.l_start ||
	    lock.l_len != expected.l_len || lock.l_pid != expected.l_pid)
		zdtm_fail("'%s': lock of type %d at %lld, length %lld, by %d instead of type %d "
			  "at %lld, length %lld, by %d",
			  path, lock.l_type, (long long)lock.l_start, (long long)lock.l_len,
			  lock.l_pid, expected.l_type, (long long)expected.l_start,
			  (long long)expected.l_len, expected.l_pid);
}

int main(void)
{
	static const char *const paths[] = { "exclusive", "shared", "common", "posix", "ofd" };
	for (uint32_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		fd_make_file(paths[i], SIZE, i);
	int exclusive = fd_open("exclusive", O_RDONLY), shared = fd_open("shared", O_RDWR);
	int posix = fd_open("posix", O_RDWR), ofd = fd_open("ofd", O_RDWR);
	common = fd_open("common", O_RDWR);
	zdtm_assert(!flock(exclusive, LOCK_EX) && !flock(shared, LOCK_SH));
	zdtm_assert(!flock(common, LOCK_EX));
	struct flock write = { .l_type = F_WRLCK, .l_start = 10, .l_len = 20 };
	struct flock read = { .l_type = F_RDLCK, .l_start = 100, .l_len = 0 };
	zdtm_assert(!fcntl(posix, F_SETLK, &write));
	read.l_len = 5;
	zdtm_assert(!fcntl(posix, F_SETLK, &read));
	read.l_len = 0; /* to the end, wherever that will be */
	zdtm_assert(!fcntl(ofd, F_OFD_SETLK, &read));
	zdtm_assert(!fcntl(ofd, F_OFD_SETLK, &write));
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	check_lock("posix", (struct flock){ F_WRLCK, SEEK_SET, 10, 20, getpid() });
	check_lock("posix", (struct flock){ F_RDLCK, SEEK_SET, 100, 5, getpid() });
	check_lock("posix", (struct flock){ F_WRLCK, SEEK_SET, 500, 10, pid });
	zdtm_assert_eq(ask("posix", 200).l_type, F_UNLCK);
	check_lock("ofd", (struct flock){ F_WRLCK, SEEK_SET, 10, 20, -1 });
	check_lock("ofd", (struct flock){ F_RDLCK, SEEK_SET, 100, 0, -1 });
	int other = fd_open("exclusive", O_RDONLY);
	zdtm_assert(flock(other, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	zdtm_assert(!flock(exclusive, LOCK_UN) && !flock(other, LOCK_EX | LOCK_NB));
	other = fd_open("shared", O_RDONLY);
	zdtm_assert(!flock(other, LOCK_SH | LOCK_NB));
	zdtm_assert(flock(other, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	close(common);
	zdtm_join(pid);
	zdtm_pass();
}
