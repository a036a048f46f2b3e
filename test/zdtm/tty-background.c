/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A background job that the terminal stopped when it wanted to read is still stopped; brought to
 * the foreground and continued, it reads its line.
 */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "pty.h"
#include "zdtm.h"

static const char line[] = "for the job\n";
static struct pty pty;

static int job(void *arg)
{
	char buf[64];
	(void)arg;
	zdtm_assert(!setpgid(0, 0));
	zdtm_child_ready();
	ssize_t n = read(pty.slave, buf, sizeof(buf));
	return n == sizeof(line) - 1 && !memcmp(buf, line, sizeof(line) - 1) ? 0 : 1;
}

static int leader(void *arg)
{
	(void)arg;
	close(pty.master);
	pty_become_leader(pty.slave);
	pid_t pid = zdtm_spawn(job, NULL);
	zdtm_await_state(pid, 'T');
	zdtm_child_wait();
	zdtm_assert_eq(zdtm_task_state(pid), 'T');
	zdtm_assert_eq(tcgetpgrp(pty.slave), getpid());
	zdtm_assert(!tcsetpgrp(pty.slave, pid));
	zdtm_assert(!kill(-pid, SIGCONT));
	zdtm_join(pid);
	return 0;
}

int main(void)
{
	pty = pty_open();
	pid_t pid = zdtm_spawn(leader, NULL);
	close(pty.slave);

	zdtm_ready();

	fd_write_all(pty.master, line, sizeof(line) - 1);
	zdtm_join(pid);
	zdtm_pass();
}
