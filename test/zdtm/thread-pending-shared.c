/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signals that are pending for the whole process keep who sent them, how and with what.
 */
#include <time.h>
#include <unistd.h>

#include "zdtm.h"

static const sigset_t *one(int sig)
{
	static sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, sig);
	return &set;
}

static siginfo_t take(int sig)
{
	static const struct timespec now;
	siginfo_t info = { 0 };
	if (sigtimedwait(one(sig), &info, &now) != sig)
		zdtm_fail("signal %d is not pending", sig);
	zdtm_assert_eq(info.si_signo, sig);
	return info;
}

int main(void)
{
	sigset_t all;
	sigfillset(&all);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &all, NULL));
	pid_t child = fork();
	if (child == 0)
		_exit(kill(getppid(), SIGUSR1) ? 1 : 23);
	zdtm_await_state(child, 'Z');
	zdtm_assert(
		!sigqueue(getpid(), SIGUSR2, (union sigval){ .sival_ptr = (void *)0x12345678 }));
	zdtm_assert(!kill(getpid(), SIGHUP));
	zdtm_ready();

	siginfo_t info = take(SIGUSR1);
	zdtm_assert_eq(info.si_code, SI_USER);
	zdtm_assert_eq(info.si_pid, child);
	info = take(SIGUSR2);
	zdtm_assert_eq(info.si_code, SI_QUEUE);
	zdtm_assert_eq(info.si_pid, getpid());
	zdtm_assert(info.si_value.sival_ptr == (void *)0x12345678);
	info = take(SIGHUP);
	zdtm_assert_eq(info.si_code, SI_USER);
	info = take(SIGCHLD);
	zdtm_assert_eq(info.si_code, CLD_EXITED);
	zdtm_assert_eq(info.si_pid, child);
	zdtm_assert_eq(info.si_status, 23);
	sigset_t pending;
	zdtm_assert(!sigpending(&pending));
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		zdtm_assert(!sigismember(&pending, sig));
	zdtm_pass();
}
