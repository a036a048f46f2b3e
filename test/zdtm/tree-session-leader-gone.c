/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes whose session leader has exited, as a daemon's are: session and process group bear the
 * number of a process that is no more.
 */
#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "zdtm.h"

static void lead(void)
{
	zdtm_assert(setsid() == getpid());
}

static int daemon_process(void *unused)
{
	(void)unused;
	pid_t child = zdtm_spawn(zdtm_child_stays, NULL);
	zdtm_assert(getsid(0) != getpid() && kill(getsid(0), 0) && errno == ESRCH);
	zdtm_child_stays(NULL);
	zdtm_assert_eq(getsid(child), getsid(0));
	zdtm_join(child);
	return 0;
}

int main(void)
{
	zdtm_assert(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t pid = zdtm_spawn_orphan(lead, daemon_process, NULL);
	pid_t sid = getsid(pid);
	zdtm_ready();
	zdtm_assert_eq(getsid(pid), sid);
	zdtm_assert(kill(sid, 0) && errno == ESRCH);
	zdtm_join(pid);
	zdtm_pass();
}
