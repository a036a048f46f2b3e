/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread that waits in sigsuspend() has two masks: the one to wait with, under which the signal
 * comes after the restore, and the old one, which is there again afterwards.
 */
#include "zdtm.h"

static volatile sig_atomic_t got_usr1, got_usr2;

static void on_usr1(int sig)
{
	(void)sig;
	got_usr1++;
}

static void on_usr2(int sig)
{
	(void)sig;
	got_usr2++;
}

/* signal: USR1 */
int main(void)
{
	sigset_t before, meanwhile, after;
	zdtm_assert(signal(SIGUSR1, on_usr1) == SIG_DFL && signal(SIGUSR2, on_usr2) == SIG_DFL);
	sigemptyset(&before);
	sigaddset(&before, SIGUSR1);
	sigaddset(&before, SIGUSR2);
	zdtm_assert(!sigprocmask(SIG_SETMASK, &before, NULL));
	sigfillset(&meanwhile);
	sigdelset(&meanwhile, SIGUSR1);
	zdtm_assert(!raise(SIGUSR2));
	zdtm_tell_ready();
	while (!got_usr1)
		sigsuspend(&meanwhile);
	zdtm_assert_eq(got_usr1, 1);
	/* Blocked by both masks, and still pending. */
	zdtm_assert_eq(got_usr2, 0);
	zdtm_assert(!sigprocmask(SIG_SETMASK, NULL, &after));
	zdtm_assert(sigismember(&after, SIGUSR1) && sigismember(&after, SIGUSR2));
	zdtm_assert(!sigismember(&after, SIGHUP));
	zdtm_assert(!sigprocmask(SIG_UNBLOCK, &before, NULL));
	zdtm_assert_eq(got_usr2, 1);
	zdtm_pass();
}
