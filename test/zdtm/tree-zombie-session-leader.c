/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A zombie that leads a session and a process group, in which its orphaned child lives.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

static int member(void *arg)
{
	pid_t *leader = arg;
	zdtm_child_ready();
	zdtm_wait();
	zdtm_assert_eq(getsid(0), *leader);
	zdtm_assert_eq(getpgrp(), *leader);
	return 0;
}

static int leader(void *arg)
{
	pid_t *pids = arg;
	zdtm_assert(setsid() == getpid());
	pids[0] = getpid();
	pids[1] = zdtm_spawn(member, &pids[0]);
	return 7;
}

int main(void)
{
	zdtm_assert(!prctl(PR_SET_CHILD_SUBREAPER, 1));
	pid_t *pids = mmap(NULL, 2 * sizeof(*pids), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	zdtm_assert(pids != MAP_FAILED);
	zdtm_spawn(leader, pids);
	zdtm_await_state(pids[0], 'Z');
	zdtm_ready();
	zdtm_assert(zdtm_task_state(pids[0]) == 'Z');
	zdtm_assert_eq(getsid(pids[1]), pids[0]);
	int status;
	zdtm_assert(waitpid(pids[0], &status, 0) == pids[0]);
	zdtm_assert(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	zdtm_join(pids[1]);
	zdtm_pass();
}
