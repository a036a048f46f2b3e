/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Zombies that have exited stay zombies, with their exit codes, until they are waited for; the
 * restore itself tells the parent of no dead child.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

static const int codes[] = { 0, 1, 42, 255 };
enum { N = sizeof(codes) / sizeof(*codes) };

static volatile sig_atomic_t told;

static void on_child(int sig)
{
	(void)sig;
	told++;
}

int main(void)
{
	pid_t pids[N];
	for (int i = 0; i < N; i++) {
		pids[i] = fork();
		zdtm_assert(pids[i] >= 0);
		if (pids[i] == 0)
			_exit(codes[i]);
		zdtm_await_state(pids[i], 'Z');
	}
	zdtm_assert(signal(SIGCHLD, on_child) == SIG_DFL);
	zdtm_ready();
	zdtm_assert_eq(told, 0);
	for (int i = N - 1; i >= 0; i--) {
		siginfo_t info = { 0 };
		zdtm_assert(zdtm_task_state(pids[i]) == 'Z');
		zdtm_assert(!waitid(P_PID, (id_t)pids[i], &info, WEXITED));
		zdtm_assert_eq(info.si_pid, pids[i]);
		zdtm_assert_eq(info.si_code, CLD_EXITED);
		zdtm_assert_eq(info.si_status, codes[i]);
	}
	zdtm_assert(wait(NULL) < 0);
	zdtm_pass();
}
