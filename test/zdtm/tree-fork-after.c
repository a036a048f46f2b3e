/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A restored process can do all that makes new tasks: fork, vfork, spawn, threads.
 */
#include <pthread.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

extern char **environ;

static void *do_nothing(void *arg)
{
	return arg;
}

static void expect_exit(pid_t pid, int code)
{
	int status;
	zdtm_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	zdtm_assert(WIFEXITED(status));
	zdtm_assert_eq(WEXITSTATUS(status), code);
}

int main(void)
{
	pid_t old = zdtm_spawn(zdtm_child_stays, NULL);
	zdtm_ready();

	pid_t young = zdtm_spawn(zdtm_child_stays, NULL);
	zdtm_assert(young != old && getpgid(young) == getpid());
	zdtm_join(young);
	zdtm_join(old);

	pid_t pid = vfork();
	if (pid == 0)
		_exit(5);
	expect_exit(pid, 5);

	char *argv[] = { "sh", "-c", "exit 6", NULL };
	zdtm_assert(!posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ));
	expect_exit(pid, 6);

	pthread_t thread;
	void *result;
	zdtm_assert(!pthread_create(&thread, NULL, do_nothing, argv));
	zdtm_assert(!pthread_join(thread, &result) && result == argv);
	zdtm_pass();
}
