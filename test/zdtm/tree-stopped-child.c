/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stopped child stays stopped, does nothing until SIGCONT, and then goes on.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

static volatile sig_atomic_t continued;

static void on_continue(int sig)
{
	(void)sig;
	continued = 1;
}

static int child(void *unused)
{
	(void)unused;
	zdtm_assert(signal(SIGCONT, on_continue) == SIG_DFL);
	zdtm_child_ready();
	raise(SIGSTOP);
	if (!continued)
		zdtm_fail("the child goes on without SIGCONT");
	zdtm_wait();
	return 0;
}

int main(void)
{
	pid_t pid = zdtm_spawn(child, NULL);
	int status;
	zdtm_assert(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	zdtm_ready();
	zdtm_sleep_ms(50);
	zdtm_assert(zdtm_task_state(pid) == 'T');
	zdtm_assert(!kill(pid, SIGCONT));
	zdtm_join(pid);
	zdtm_pass();
}
