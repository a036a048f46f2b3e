/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process group whose leader has exited and been reaped lives on in its other members.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

static int leader(void *unused)
{
	(void)unused;
	zdtm_assert(!setpgid(0, 0));
	zdtm_child_wait();
	return 0;
}

static int member(void *arg)
{
	pid_t *group = arg;
	zdtm_assert(!setpgid(0, *group));
	zdtm_child_ready();
	zdtm_wait();
	zdtm_assert_eq(getpgrp(), *group);
	return 0;
}

int main(void)
{
	pid_t group = zdtm_spawn(leader, NULL);
	pid_t members[2] = { zdtm_spawn(member, &group), zdtm_spawn(member, &group) };
	zdtm_join(group);
	zdtm_ready();
	zdtm_assert_eq(getpgid(members[0]), group);
	zdtm_assert_eq(getpgid(members[1]), group);
	/* The group is one: a signal to it reaches both. */
	zdtm_assert(!kill(-group, SIGKILL));
	for (int i = 0; i < 2; i++) {
		int status;
		zdtm_assert(waitpid(members[i], &status, 0) == members[i]);
		zdtm_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	zdtm_pass();
}
