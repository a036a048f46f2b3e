/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who gets which signal when a descriptor has input (F_SETOWN, F_SETSIG, O_ASYNC): the task itself,
 * its process group, a child.
 */
/* varies: SigBlk */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

/* Of the kernel's fcntl.h, which does not go with the C library's. */
#ifndef F_GETOWNER_UIDS
#define F_GETOWNER_UIDS 17
#endif

static int own_signal, for_child[2];

static void expect_signal(int sig, int fd)
{
	sigset_t set;
	siginfo_t info;
	const struct timespec limit = { .tv_sec = 10 };
	sigemptyset(&set);
	sigaddset(&set, sig);
	int got;
	while ((got = sigtimedwait(&set, &info, &limit)) < 0 && errno == EINTR)
		; /* this call is never restarted by the kernel */
	zdtm_assert_eq(got, sig);
	if (fd >= 0) {
		zdtm_assert_eq(info.si_fd, fd);
		zdtm_assert(info.si_code == POLL_IN);
	}
}

static int child(void *arg)
{
	(void)arg;
	zdtm_child_ready();
	expect_signal(own_signal, for_child[0]);
	return 0;
}

static void new_pipe(int fds[2], int sig)
{
	zdtm_assert(!pipe2(fds, O_NONBLOCK));
	zdtm_assert(!fcntl(fds[0], F_SETSIG, sig));
	zdtm_assert(!fcntl(fds[0], F_SETFL, O_NONBLOCK | O_ASYNC));
}

int main(void)
{
	int mine[2], group[2], file;
	own_signal = SIGRTMIN + 5;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, own_signal);
	sigaddset(&set, SIGIO);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &set, NULL));
	new_pipe(mine, own_signal);
	zdtm_assert(!fcntl(mine[0], F_SETOWN, getpid()));
	new_pipe(group, 0);
	zdtm_assert(!fcntl(group[0], F_SETOWN, -getpgrp()));
	new_pipe(for_child, own_signal);
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_assert(!fcntl(for_child[0], F_SETOWN, pid));
	/* Nobody sends a signal for a file, but it can have an owner. */
	fd_make_file("file", 10, 1);
	file = fd_open("file", O_RDWR);
	zdtm_assert(!fcntl(file, F_SETOWN, getpid()) && !fcntl(file, F_SETSIG, SIGUSR1));
	struct fd_state states[] = { fd_state_take(mine[0]), fd_state_take(group[0]),
				     fd_state_take(for_child[0]), fd_state_take(file) };
	enum { N = sizeof(states) / sizeof(*states) };
	struct f_owner_ex owners[N], now;
	uid_t uids[N][2], uids_now[2];
	for (size_t i = 0; i < N; i++) {
		zdtm_assert(!fcntl(states[i].fd, F_GETOWN_EX, &owners[i]));
		zdtm_assert(!fcntl(states[i].fd, F_GETOWNER_UIDS, uids[i]) || errno == EINVAL);
	}

	zdtm_ready();

	for (size_t i = 0; i < N; i++) {
		fd_state_check(&states[i]);
		zdtm_assert(!fcntl(states[i].fd, F_GETOWN_EX, &now));
		zdtm_assert_eq(now.type, owners[i].type);
		zdtm_assert_eq(now.pid, owners[i].pid);
		if (!fcntl(states[i].fd, F_GETOWNER_UIDS, uids_now))
			zdtm_assert(!memcmp(uids_now, uids[i], sizeof(uids_now)));
	}
	zdtm_assert_eq(fcntl(file, F_GETSIG), SIGUSR1);
	fd_write_all(mine[1], "x", 1);
	expect_signal(own_signal, mine[0]);
	fd_write_all(group[1], "x", 1);
	expect_signal(SIGIO, -1);
	fd_write_all(for_child[1], "x", 1);
	zdtm_join(pid);
	zdtm_pass();
}
