/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Signalfds keep their mask and flags, and give the signals that were pending with their values.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

static int new_signalfd(int flags, int first, int second)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, first);
	sigaddset(&set, second);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &set, NULL));
	int fd = signalfd(-1, &set, flags);
	zdtm_assert(fd >= 0);
	return fd;
}

static void send_value(int sig, int value)
{
	zdtm_assert(!sigqueue(getpid(), sig, (union sigval){ .sival_int = value }));
}

static void expect_signal(int fd, int sig, int value)
{
	struct signalfd_siginfo info;
	zdtm_assert_eq(read(fd, &info, sizeof(info)), sizeof(info));
	zdtm_assert_eq(info.ssi_signo, sig);
	zdtm_assert_eq(info.ssi_int, value);
	zdtm_assert_eq(info.ssi_pid, getpid());
	zdtm_assert_eq(info.ssi_code, SI_QUEUE);
}

int main(void)
{
	struct signalfd_siginfo info;
	int user = new_signalfd(SFD_NONBLOCK, SIGUSR1, SIGUSR2);
	int real_time = new_signalfd(SFD_NONBLOCK | SFD_CLOEXEC, SIGRTMIN + 3, SIGRTMAX);
	int waiting = new_signalfd(0, SIGHUP, SIGWINCH);
	send_value(SIGUSR2, 11);
	send_value(SIGRTMAX, 12);
	send_value(SIGRTMAX, 13);
	send_value(SIGRTMIN + 3, 14);
	struct fd_state states[] = { fd_state_take(user), fd_state_take(real_time),
				     fd_state_take(waiting) };
	enum { N = sizeof(states) / sizeof(*states) };
	char masks[N][64], mask[64];
	for (size_t i = 0; i < N; i++)
		zdtm_assert(fd_info(states[i].fd, "sigmask", masks[i], sizeof(masks[i])));

	zdtm_ready();

	for (size_t i = 0; i < N; i++) {
		fd_state_check(&states[i]);
		zdtm_assert(fd_info(states[i].fd, "sigmask", mask, sizeof(mask)));
		if (strcmp(mask, masks[i]))
			zdtm_fail("signalfd %zu has the mask %s, not %s", i, mask, masks[i]);
	}
	expect_signal(real_time, SIGRTMIN + 3, 14);
	expect_signal(real_time, SIGRTMAX, 12);
	expect_signal(user, SIGUSR2, 11);
	expect_signal(real_time, SIGRTMAX, 13);
	zdtm_assert(read(user, &info, sizeof(info)) < 0 && errno == EAGAIN);
	zdtm_assert(!fd_has_input(waiting));
	send_value(SIGHUP, 15);
	zdtm_assert(read(user, &info, sizeof(info)) < 0 && errno == EAGAIN);
	expect_signal(waiting, SIGHUP, 15);
	zdtm_pass();
}
