/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The root of the tree itself is stopped: it is restored stopped and goes on at SIGCONT.
 */
/* signal: CONT */
#include <unistd.h>

#include "zdtm.h"

static volatile sig_atomic_t continued;

static void on_continue(int sig)
{
	(void)sig;
	continued = 1;
}

/* Tells the runner, since the root cannot once it is stopped. */
static int watcher(void *arg)
{
	pid_t *root = arg;
	zdtm_child_ready();
	zdtm_await_state(*root, 'T');
	zdtm_ready();
	return 0;
}

int main(void)
{
	zdtm_assert(signal(SIGCONT, on_continue) == SIG_DFL);
	pid_t root = getpid();
	pid_t child = zdtm_spawn(watcher, &root);
	raise(SIGSTOP);
	if (!continued)
		zdtm_fail("the root goes on without SIGCONT");
	zdtm_join(child);
	zdtm_pass();
}
