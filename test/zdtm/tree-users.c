/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A tree whose processes belong to different users, a child of each below a child of another.
 */
#include <errno.h>
#include <grp.h>
#include <unistd.h>

#include "zdtm.h"

static void become(uid_t id)
{
	if (setgroups(1, &(gid_t){ id + 10 }) || setresgid(id, id, id) || setresuid(id, id, id))
		zdtm_skip("cannot become user %u: %m", id);
}

static void check(uid_t id)
{
	gid_t group;
	zdtm_assert_eq(getuid(), id);
	zdtm_assert_eq(getegid(), id);
	zdtm_assert(getgroups(1, &group) == 1);
	zdtm_assert_eq(group, id + 10);
}

static int third(void *unused)
{
	(void)unused;
	become(30003);
	zdtm_child_wait();
	check(30003);
	return 0;
}

static int second(void *unused)
{
	(void)unused;
	/* Root in between has a child of another user and the right to signal it. */
	pid_t pid = zdtm_spawn(third, NULL);
	become(30002);
	zdtm_child_wait();
	check(30002);
	zdtm_assert(kill(pid, SIGTERM) && errno == EPERM);
	return 0;
}

static int first(void *unused)
{
	(void)unused;
	become(30001);
	pid_t pid = zdtm_spawn(zdtm_child_stays, NULL);
	zdtm_child_wait();
	check(30001);
	zdtm_join(pid);
	return 0;
}

int main(void)
{
	pid_t a = zdtm_spawn(first, NULL), b = zdtm_spawn(second, NULL);
	zdtm_ready();
	zdtm_assert_eq(getuid(), 0);
	zdtm_join(a);
	zdtm_join(b);
	zdtm_pass();
}
