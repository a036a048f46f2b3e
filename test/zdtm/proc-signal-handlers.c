/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Handlers do after the restore what their flags say: SA_SIGINFO, SA_RESETHAND, SA_NODEFER, masks.
 */
#include <unistd.h>

#include "zdtm.h"

static volatile int value, sender, in_handler, deepest;
static volatile bool usr2_blocked, own_blocked;

static void on_info(int sig, siginfo_t *info, void *context)
{
	sigset_t mask;
	(void)context;
	value = info->si_value.sival_int;
	sender = info->si_pid;
	zdtm_assert(!sigprocmask(SIG_SETMASK, NULL, &mask));
	usr2_blocked = sigismember(&mask, SIGUSR2);
	own_blocked = sigismember(&mask, sig);
}

static void on_nested(int sig)
{
	if (++in_handler > deepest)
		deepest = in_handler;
	if (in_handler < 3)
		raise(sig);
	in_handler--;
}

int main(void)
{
	struct sigaction info = { .sa_sigaction = on_info, .sa_flags = SA_SIGINFO }, now;
	struct sigaction once = { .sa_handler = on_nested, .sa_flags = (int)SA_RESETHAND };
	struct sigaction nested = { .sa_handler = on_nested, .sa_flags = SA_NODEFER };
	sigemptyset(&info.sa_mask);
	sigaddset(&info.sa_mask, SIGUSR2);
	zdtm_assert(!sigaction(SIGUSR1, &info, NULL));
	zdtm_assert(!sigaction(SIGHUP, &nested, NULL));
	zdtm_assert(!sigaction(SIGURG, &once, NULL));
	zdtm_ready();

	zdtm_assert(!sigqueue(getpid(), SIGUSR1, (union sigval){ 4711 }));
	zdtm_assert_eq(value, 4711);
	zdtm_assert_eq(sender, getpid());
	zdtm_assert(usr2_blocked && own_blocked);

	zdtm_assert(!raise(SIGHUP));
	zdtm_assert_eq(deepest, 3);

	in_handler = 2; /* so that it does not raise it again */
	zdtm_assert(!raise(SIGURG));
	zdtm_assert(!sigaction(SIGURG, NULL, &now));
	zdtm_assert(now.sa_handler == SIG_DFL);
	zdtm_pass();
}
