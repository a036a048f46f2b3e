/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child in a chroot with files of it, a deleted one among them, and one from outside that it got
 * by fork; the parent is outside.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SIZE = 5000 };

static int outside;

static int child(void *arg)
{
	(void)arg;
	zdtm_assert(!chroot("root") && !chdir("/dir"));
	int inside = fd_open("/dir/file", O_RDWR), deleted = fd_open("/dir/deleted", O_RDWR);
	unsigned char *mem = mem_map_file(inside, 0, SIZE, PROT_READ, MAP_PRIVATE);
	zdtm_assert(!unlink("/dir/deleted"));
	zdtm_assert(lseek(inside, 30, SEEK_SET) == 30 && lseek(deleted, 40, SEEK_SET) == 40);
	struct fd_state states[] = { fd_state_take(inside), fd_state_take(outside) };
	struct fd_state state = fd_state_take(deleted);
	zdtm_child_wait();
	fd_state_check_same(&states[0]);
	fd_state_check_same(&states[1]);
	fd_state_check(&state);
	fd_check_content(inside, 0, SIZE, 2);
	fd_check_content(deleted, 0, SIZE, 3);
	fd_check_content(outside, 0, SIZE, 1);
	mem_check(mem, SIZE, 2, "mapping of a file in the chroot");
	zdtm_assert(!access("/dir/file", F_OK) && !access("file", F_OK));
	zdtm_assert(!access("../../../../dir/file", F_OK));
	zdtm_assert(access("/proc/self", F_OK) && access("/dir/deleted", F_OK));
	return 0;
}

int main(void)
{
	if (geteuid())
		zdtm_skip("only root may use chroot()");
	zdtm_hold_result(); /* the child could not open it */
	zdtm_assert(!mkdir("root", 0755) && !mkdir("root/dir", 0755));
	fd_make_file("outside", SIZE, 1);
	fd_make_file("root/dir/file", SIZE, 2);
	fd_make_file("root/dir/deleted", SIZE, 3);
	outside = fd_open("outside", O_RDONLY);
	pid_t pid = zdtm_spawn(child, NULL);

	zdtm_ready();

	zdtm_assert_eq(lseek(outside, 0, SEEK_CUR), 0);
	zdtm_join(pid);
	zdtm_assert(access("root/dir/deleted", F_OK));
	zdtm_pass();
}
