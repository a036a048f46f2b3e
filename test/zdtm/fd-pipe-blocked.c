/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tasks that sleep in read() of an empty pipe, write() to a full one and poll() of both sleep on,
 * and go on when the other side moves.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SIZE = 200000, TEXT = 6 };

static int empty[2], full[2], watched[2];

static int reader(void *arg)
{
	char buf[TEXT];
	(void)arg;
	zdtm_child_ready();
	return read(empty[0], buf, sizeof(buf)) == TEXT ? 0 : 1;
}

static int writer(void *arg)
{
	char *buf = malloc(SIZE);
	(void)arg;
	zdtm_assert(buf);
	mem_fill(buf, SIZE, 1);
	zdtm_child_ready();
	/* A write that has moved something may come back with less than all. */
	fd_write_all(full[1], buf, SIZE);
	return 0;
}

static int poller(void *arg)
{
	struct pollfd pollfd = { .fd = watched[0], .events = POLLIN };
	(void)arg;
	zdtm_child_ready();
	return poll(&pollfd, 1, -1) == 1 && pollfd.revents == POLLIN ? 0 : 1;
}

int main(void)
{
	zdtm_assert(!pipe(empty) && !pipe(full) && !pipe(watched));
	pid_t pids[] = { zdtm_spawn(reader, NULL), zdtm_spawn(writer, NULL),
			 zdtm_spawn(poller, NULL) };
	for (size_t i = 0; i < 3; i++)
		zdtm_await_state(pids[i], 'S');

	zdtm_ready();

	for (size_t i = 0; i < 3; i++)
		zdtm_await_state(pids[i], 'S');
	fd_write_all(empty[1], "hello\n", TEXT);
	fd_write_all(watched[1], "x", 1);
	char *buf = malloc(SIZE);
	zdtm_assert(buf);
	fd_read_all(full[0], buf, SIZE);
	mem_check(buf, SIZE, 1, "what the sleeping writer wrote");
	for (size_t i = 0; i < 3; i++)
		zdtm_join(pids[i]);
	zdtm_pass();
}
