/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A lock by process on a file that the process has mapped as well: a restore that closed the
 * descriptor by which it mapped the file would take the lock away.
 */
/* crib-dump: --file-locks */
/* crib-restore: --file-locks */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

static struct flock whole_file(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

static int child(void *arg)
{
	int fd = *(int *)arg;
	zdtm_child_wait();
	struct flock lock = whole_file(F_RDLCK);
	zdtm_assert(!fcntl(fd, F_GETLK, &lock));
	zdtm_assert_eq(lock.l_type, F_WRLCK);
	zdtm_assert_eq(lock.l_pid, getppid());
	return 0;
}

int main(void)
{
	const size_t size = 4 * mem_page_size();
	fd_make_file("file", size, 1);
	int fd = fd_open("file", O_RDWR);
	mem_map_file(fd, 0, size, PROT_READ | PROT_WRITE, MAP_SHARED);
	mem_map_file(fd, 0, size, PROT_READ, MAP_PRIVATE);
	struct flock lock = whole_file(F_WRLCK);
	zdtm_assert(!fcntl(fd, F_SETLK, &lock));
	pid_t pid = zdtm_spawn(child, &fd);

	zdtm_ready();

	zdtm_join(pid);
	zdtm_pass();
}
