/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptors made by dup() and by fork() share one position and one set of flags; descriptors that
 * were opened apart share neither, even of the same file.
 */
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { CHILD_NUMBER = 77 };

static int first, copy, apart;

static int child(void *arg)
{
	(void)arg;
	close(first);
	zdtm_assert(dup2(copy, CHILD_NUMBER) == CHILD_NUMBER);
	close(copy);
	int child_apart = fd_open("file", O_RDONLY);
	zdtm_assert(lseek(child_apart, 900, SEEK_SET) == 900);
	zdtm_child_wait();
	zdtm_assert_eq(lseek(CHILD_NUMBER, 0, SEEK_CUR), 555);
	zdtm_assert(fcntl(CHILD_NUMBER, F_GETFL) & O_NONBLOCK);
	zdtm_assert_eq(lseek(apart, 0, SEEK_CUR), 30);
	zdtm_assert_eq(lseek(child_apart, 0, SEEK_CUR), 900);
	zdtm_assert(lseek(CHILD_NUMBER, 666, SEEK_SET) == 666);
	zdtm_assert(lseek(apart, 40, SEEK_SET) == 40);
	return 0;
}

int main(void)
{
	fd_make_file("file", 1000, 1);
	first = fd_open("file", O_RDONLY);
	copy = dup(first);
	apart = fd_open("file", O_RDONLY);
	int alone = fd_open("file", O_RDONLY | O_CLOEXEC);
	zdtm_assert(lseek(first, 10, SEEK_SET) == 10);
	zdtm_assert(lseek(apart, 30, SEEK_SET) == 30);
	zdtm_assert(lseek(alone, 50, SEEK_SET) == 50);
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	zdtm_assert_eq(lseek(copy, 0, SEEK_CUR), 10);
	zdtm_assert_eq(lseek(apart, 0, SEEK_CUR), 30);
	zdtm_assert_eq(lseek(alone, 0, SEEK_CUR), 50);
	zdtm_assert(lseek(first, 555, SEEK_SET) == 555);
	zdtm_assert_eq(lseek(copy, 0, SEEK_CUR), 555);
	zdtm_assert(!fcntl(first, F_SETFL, O_NONBLOCK));
	zdtm_assert(fcntl(copy, F_GETFL) & O_NONBLOCK);
	zdtm_assert(!(fcntl(apart, F_GETFL) & O_NONBLOCK));
	zdtm_join(pid);
	zdtm_assert_eq(lseek(first, 0, SEEK_CUR), 666);
	zdtm_assert_eq(lseek(copy, 0, SEEK_CUR), 666);
	zdtm_assert_eq(lseek(apart, 0, SEEK_CUR), 40);
	zdtm_assert_eq(lseek(alone, 0, SEEK_CUR), 50);
	zdtm_pass();
}
