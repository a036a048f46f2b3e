/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * With SA_NOCLDWAIT and SA_NOCLDSTOP a handler hears of dead children, which are no zombies, and of
 * stopped ones it does not hear.
 */
#include <errno.h>
#include <sys/wait.h>

#include "zdtm.h"

static volatile sig_atomic_t told;

static void on_child(int sig)
{
	(void)sig;
	told++;
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_child,
				    .sa_flags = SA_NOCLDWAIT | SA_NOCLDSTOP | SA_RESTART };
	zdtm_assert(!sigaction(SIGCHLD, &action, NULL));
	pid_t child = zdtm_spawn(zdtm_child_stays, NULL);
	zdtm_ready();
	zdtm_assert_eq(told, 0);
	zdtm_assert(!kill(child, SIGSTOP));
	zdtm_await_state(child, 'T');
	zdtm_assert(!kill(child, SIGCONT));
	zdtm_assert_eq(told, 0);
	zdtm_assert(!kill(child, SIGTERM));
	zdtm_assert(waitpid(child, NULL, 0) == -1);
	zdtm_assert_eq(errno, ECHILD);
	zdtm_assert_eq(told, 1);
	zdtm_pass();
}
