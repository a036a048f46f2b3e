/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Zombies that were killed by a signal stay zombies, and their parent learns by which.
 */
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

static const int signals[] = { SIGKILL, SIGINT, SIGSEGV, SIGABRT, SIGUSR1 };
enum { N = sizeof(signals) / sizeof(*signals) };

int main(void)
{
	struct rlimit no_core = { 0, 0 };
	pid_t pids[N];
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		zdtm_assert(pids[i] >= 0);
		if (pids[i] == 0) {
			setrlimit(RLIMIT_CORE, &no_core);
			kill(getpid(), signals[i]);
			_exit(0);
		}
		zdtm_await_state(pids[i], 'Z');
	}
	zdtm_ready();
	for (int i = 0; i < N; i++) {
		int status;
		zdtm_assert(waitpid(pids[i], &status, 0) == pids[i]);
		zdtm_assert(WIFSIGNALED(status));
		zdtm_assert_eq(WTERMSIG(status), signals[i]);
	}
	zdtm_pass();
}
