/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A child that runs in its parent's memory without being a thread is refused in words, and goes on.
 */
/* refused: shares its memory (CLONE_VM, vfork) with task */
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

static volatile int go_on;
static char stack[65536] __attribute__((aligned(16)));

static int in_shared_memory(void *unused)
{
	(void)unused;
	while (!go_on)
		usleep(1000);
	_exit(3);
}

int main(void)
{
	int status;
	pid_t pid = clone(in_shared_memory, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
	zdtm_assert(pid > 0);

	zdtm_ready();

	go_on = 1;
	zdtm_assert(waitpid(pid, &status, 0) == pid);
	zdtm_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	zdtm_pass();
}
