/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Epoll sets whose numbers do not tell the file: one file watched by two numbers, a number that was
 * closed while a copy keeps the file open, and one that belongs to another file now, which is
 * watched too.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { MOST = 16, NUMBER = 50, COPY = 51, CLOSED = 52, CLOSED_COPY = 53 };

static void add(int epfd, int fd, uint32_t data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = data };
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event))
		zdtm_fail("add descriptor %d to an epoll set: %m", fd);
}

/* Which of the data 0 to 31 have events now, as a mask. */
static uint32_t ready_mask(int epfd)
{
	struct epoll_event events[MOST];
	int n = epoll_wait(epfd, events, MOST, 0);
	zdtm_assert(n >= 0);
	uint32_t mask = 0;
	for (int i = 0; i < n; i++)
		mask |= 1U << events[i].data.u32;
	return mask;
}

int main(void)
{
	int epfd = epoll_create1(0), twice = eventfd(0, 0), twice_copy = dup(twice);
	add(epfd, twice, 1);
	add(epfd, twice_copy, 2);

	fd_move(eventfd(0, 0), CLOSED);
	zdtm_assert(dup2(CLOSED, CLOSED_COPY) == CLOSED_COPY);
	add(epfd, CLOSED, 3);
	close(CLOSED);

	fd_move(eventfd(0, 0), NUMBER);
	zdtm_assert(dup2(NUMBER, COPY) == COPY);
	add(epfd, NUMBER, 4);
	close(NUMBER);
	fd_move(eventfd(0, 0), NUMBER);
	add(epfd, NUMBER, 5);

	zdtm_assert_eq(ready_mask(epfd), 0);

	zdtm_ready();

	zdtm_assert_eq(ready_mask(epfd), 0);
	fd_check_closed(CLOSED);
	zdtm_assert(!eventfd_write(twice, 1));
	zdtm_assert_eq(ready_mask(epfd), 1 << 1 | 1 << 2);
	zdtm_assert(!eventfd_write(CLOSED_COPY, 1));
	zdtm_assert_eq(ready_mask(epfd), 1 << 1 | 1 << 2 | 1 << 3);
	zdtm_assert(!eventfd_write(NUMBER, 1));
	zdtm_assert_eq(ready_mask(epfd), 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5);
	zdtm_assert(!eventfd_write(COPY, 1));
	zdtm_assert_eq(ready_mask(epfd), 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5);
	zdtm_assert(!epoll_ctl(epfd, EPOLL_CTL_DEL, NUMBER, NULL));
	zdtm_assert_eq(ready_mask(epfd), 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4);
	close(CLOSED_COPY);
	zdtm_assert_eq(ready_mask(epfd), 1 << 1 | 1 << 2 | 1 << 4);
	zdtm_pass();
}
