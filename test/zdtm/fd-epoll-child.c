/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Epoll sets and what they watch in different tasks: a set of the parent watches a file that only
 * the child has open any more, and the child has a set that is the parent's no longer; it sleeps in
 * epoll_wait().
 */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { LONG_MS = 10000 };

static int parents_set, childs_set, childs_file, parents_file;

static void add(int epfd, int fd, uint32_t data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = data };
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event))
		zdtm_fail("add descriptor %d to an epoll set: %m", fd);
}

static void await_event(int epfd, uint32_t data)
{
	struct epoll_event event;
	int n;
	while ((n = epoll_wait(epfd, &event, 1, LONG_MS)) < 0 && errno == EINTR)
		; /* this call is never restarted by the kernel */
	zdtm_assert_eq(n, 1);
	zdtm_assert_eq(event.data.u32, data);
	zdtm_assert_eq(event.events, EPOLLIN);
}

static int child(void *arg)
{
	(void)arg;
	close(parents_set);
	zdtm_child_ready();
	await_event(childs_set, 2);
	zdtm_assert(!eventfd_write(childs_file, 1));
	zdtm_wait();
	return 0;
}

int main(void)
{
	parents_set = epoll_create1(0);
	childs_set = epoll_create1(0);
	parents_file = eventfd(0, 0);
	childs_file = eventfd(0, 0);
	add(parents_set, childs_file, 1);
	add(childs_set, parents_file, 2);
	pid_t pid = zdtm_spawn(child, NULL);
	close(childs_set);
	close(childs_file);
	zdtm_await_state(pid, 'S');

	zdtm_ready();

	fd_check_closed(childs_set);
	fd_check_closed(childs_file);
	zdtm_assert(!eventfd_write(parents_file, 1));
	await_event(parents_set, 1);
	zdtm_join(pid);
	zdtm_pass();
}
