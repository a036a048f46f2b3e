/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A session with its controlling terminal inside the tree: leader, foreground and background group
 * are as they were, and ^C typed at the master reaches the foreground group alone.
 */
#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

static struct pty pty;

static bool interrupt_is_pending(void)
{
	sigset_t pending;
	zdtm_assert(!sigpending(&pending));
	return sigismember(&pending, SIGINT);
}

static int foreground(void *arg)
{
	sigset_t set;
	const struct timespec limit = { .tv_sec = 10 };
	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	zdtm_assert(!setpgid(0, 0));
	zdtm_child_wait();
	zdtm_assert_eq(sigtimedwait(&set, NULL, &limit), SIGINT);
	return 0;
}

/* Has no descriptor of the terminal, and yet it is its own. */
static int background(void *arg)
{
	(void)arg;
	close(pty.slave);
	zdtm_assert(!setpgid(0, 0));
	zdtm_child_wait();
	zdtm_assert(!interrupt_is_pending());
	int fd = fd_open("/dev/tty", O_RDWR);
	zdtm_assert_eq(tcgetsid(fd), getppid());
	return 0;
}

static int leader(void *arg)
{
	sigset_t set;
	(void)arg;
	close(pty.master);
	pty_become_leader(pty.slave);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTTOU);
	sigaddset(&set, SIGHUP);
	zdtm_assert(!sigprocmask(SIG_BLOCK, &set, NULL));
	pid_t front = zdtm_spawn(foreground, NULL), back = zdtm_spawn(background, NULL);
	zdtm_assert(!tcsetpgrp(pty.slave, front));
	zdtm_child_wait();

	zdtm_assert_eq(getsid(0), getpid());
	zdtm_assert_eq(tcgetsid(pty.slave), getpid());
	zdtm_assert_eq(tcgetpgrp(pty.slave), front);
	zdtm_join(front);
	zdtm_join(back);
	zdtm_assert(!interrupt_is_pending());
	return 0;
}

int main(void)
{
	pty = pty_open();
	pid_t pid = zdtm_spawn(leader, NULL);
	close(pty.slave);
	const pid_t group = tcgetpgrp(pty.master);
	zdtm_assert(group > 0);

	zdtm_ready();

	zdtm_assert_eq(tcgetsid(pty.master), pid);
	zdtm_assert_eq(tcgetpgrp(pty.master), group);
	fd_write_all(pty.master, "\003", 1);
	zdtm_join(pid);
	zdtm_pass();
}
