// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work that can be given up, see apart.h.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/apart.h"
#include "base/pidref.h"

enum { STACK_SIZE = 512 * 1024 };

int64_t apart_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* At the lower end of the stack, so that it lives as long as the process may. */
struct work {
	apart_fn *run;
	void *arg;
	int value;
	bool done;
};

static int work_main(void *arg)
{
	struct work *work = arg;

	setpgid(0, 0); /* what kills the caller's group must not kill it */
	work->value = work->run(work->arg);
	work->done = true;
	return 0;
}

enum apart_end apart_run(apart_fn *run, void *arg, int64_t deadline, int *ret_value)
{
	char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	struct work *work = (struct work *)stack;
	enum apart_end end = APART_LATE;
	int pidfd = -1;

	if (stack == MAP_FAILED)
		return APART_FAILED;
	*work = (struct work){ .run = run, .arg = arg };
	pid_t pid = clone(work_main, stack + STACK_SIZE,
			  CLONE_VM | CLONE_FILES | CLONE_PIDFD | SIGCHLD, work, &pidfd);
	if (pid < 0) {
		munmap(stack, STACK_SIZE);
		return APART_FAILED;
	}
	if (!pidref_ends_by(pidfd, deadline)) {
		kill(pid, SIGKILL);
	} else {
		waitpid(pid, NULL, 0);
		end = work->done ? APART_DONE : APART_KILLED;
		if (work->done)
			*ret_value = work->value;
	}
	close(pidfd);
	/* else it may still be in use, until the kernel lets go of who is killed */
	if (end != APART_LATE)
		munmap(stack, STACK_SIZE);
	return end;
}
