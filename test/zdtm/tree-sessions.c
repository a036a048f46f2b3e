/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sessions and process groups below one root: a child with its own session, groups inside of it,
 * and a group that is led by a sibling, not by a parent.
 */
#include <sys/types.h>
#include <unistd.h>

#include "zdtm.h"

/* Enters the group @arg, or makes one of its own when that is NULL. */
static int grouped(void *arg)
{
	pid_t *group = arg;
	zdtm_assert(!setpgid(0, group ? *group : 0));
	return zdtm_child_stays(NULL);
}

static int session_leader(void *unused)
{
	(void)unused;
	zdtm_assert(setsid() == getpid());
	pid_t leader = zdtm_spawn(grouped, NULL);
	pid_t member = zdtm_spawn(grouped, &leader);
	pid_t child = zdtm_spawn(zdtm_child_stays, NULL);
	zdtm_child_stays(NULL);
	zdtm_assert_eq(getsid(member), getpid());
	zdtm_assert_eq(getpgid(member), leader);
	zdtm_assert_eq(getpgid(child), getpid());
	zdtm_join(member);
	zdtm_join(leader);
	zdtm_join(child);
	return 0;
}

int main(void)
{
	pid_t session = zdtm_spawn(session_leader, NULL);
	pid_t leader = zdtm_spawn(grouped, NULL);
	pid_t member = zdtm_spawn(grouped, &leader);
	zdtm_ready();
	zdtm_assert_eq(getsid(0), getpid());
	zdtm_assert_eq(getsid(session), session);
	zdtm_assert_eq(getpgid(member), leader);
	zdtm_join(session);
	zdtm_join(member);
	zdtm_join(leader);
	zdtm_pass();
}
