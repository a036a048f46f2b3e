/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An epoll set keeps what it watches, for which events and with which data: eventfds, pipes,
 * another epoll set, edge-triggered, exclusive, waiting to be armed again, and without any event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { MOST = 16 };

#define DATA(n) (0x1234567800000000ULL + (n))

static void add(int epfd, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event))
		zdtm_fail("add descriptor %d to an epoll set: %m", fd);
}

/* Waits without blocking; the events that came for @data, 0 if none. */
static uint32_t events_for(int epfd, uint64_t data)
{
	struct epoll_event events[MOST];
	int n = epoll_wait(epfd, events, MOST, 0);
	zdtm_assert(n >= 0);
	for (int i = 0; i < n; i++)
		if (events[i].data.u64 == data)
			return events[i].events;
	return 0;
}

/* A line "tfd:" of fdinfo. */
struct watch {
	int fd;
	unsigned int events; /* without those that the kernel always adds */
	unsigned long long data;
};

static int by_data(const void *a, const void *b)
{
	unsigned long long x = ((const struct watch *)a)->data, y = ((const struct watch *)b)->data;
	return (x > y) - (x < y);
}

/* What @epfd watches; sorted, since the kernel goes by addresses. */
static size_t watched(int epfd, struct watch watches[MOST])
{
	char path[64], text[4096], *state;
	size_t n = 0;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epfd);
	zdtm_read_file(path, text, sizeof(text));
	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		struct watch *watch = &watches[n];
		if (n == MOST || sscanf(line, "tfd: %d events: %x data: %llx", &watch->fd,
					&watch->events, &watch->data) != 3)
			continue;
		watch->events &= ~(unsigned int)(EPOLLERR | EPOLLHUP);
		n++;
	}
	qsort(watches, n, sizeof(*watches), by_data);
	return n;
}

static void check_watch(const struct watch *now, const struct watch *before)
{
	if (now->fd != before->fd || now->events != before->events || now->data != before->data)
		zdtm_fail("the epoll set watches %d for 0x%x, data 0x%llx, not %d for 0x%x, "
			  "data 0x%llx",
			  now->fd, now->events, now->data, before->fd, before->events,
			  before->data);
}

int main(void)
{
	int fds[2], ready = eventfd(1, 0), idle = eventfd(0, 0), oneshot = eventfd(1, 0);
	int edge = eventfd(0, 0), armed = eventfd(0, 0), exclusive = eventfd(0, 0);
	int epfd = epoll_create1(EPOLL_CLOEXEC), inner = epoll_create1(0), none = epoll_create1(0);
	zdtm_assert(!pipe(fds) && epfd >= 0 && inner >= 0 && none >= 0);
	add(inner, fds[0], EPOLLIN, DATA(1));
	add(epfd, inner, EPOLLIN, DATA(2));
	add(epfd, ready, EPOLLIN, DATA(3));
	add(epfd, idle, EPOLLIN | EPOLLPRI | EPOLLRDHUP, DATA(4));
	add(epfd, oneshot, EPOLLIN | EPOLLONESHOT, DATA(5));
	add(epfd, armed, EPOLLIN | EPOLLONESHOT, DATA(6));
	add(epfd, edge, EPOLLIN | EPOLLET, DATA(7));
	add(epfd, exclusive, EPOLLIN | EPOLLEXCLUSIVE, DATA(8));
	add(epfd, fds[1], 0, DATA(9));
	zdtm_assert_eq(events_for(epfd, DATA(5)), EPOLLIN); /* which disarms it */
	struct fd_state states[] = { fd_state_take(epfd), fd_state_take(inner),
				     fd_state_take(none) };
	struct watch before[MOST], now[MOST];
	zdtm_assert_eq(watched(epfd, before), 8);

	zdtm_ready();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check(&states[i]);
	zdtm_assert_eq(watched(epfd, now), 8);
	for (size_t i = 0; i < 8; i++)
		check_watch(&now[i], &before[i]);
	zdtm_assert_eq(events_for(epfd, DATA(3)), EPOLLIN);
	zdtm_assert_eq(events_for(epfd, DATA(5)), 0);
	zdtm_assert_eq(events_for(epfd, DATA(2)), 0);
	struct epoll_event again = { .events = EPOLLIN | EPOLLONESHOT, .data.u64 = DATA(55) };
	zdtm_assert(!epoll_ctl(epfd, EPOLL_CTL_MOD, oneshot, &again));
	zdtm_assert_eq(events_for(epfd, DATA(55)), EPOLLIN);
	fd_write_all(fds[1], "x", 1);
	zdtm_assert_eq(events_for(epfd, DATA(2)), EPOLLIN);
	zdtm_assert_eq(events_for(inner, DATA(1)), EPOLLIN);
	int plain[] = { idle, armed, edge, exclusive };
	static const uint64_t plain_data[] = { DATA(4), DATA(6), DATA(7), DATA(8) };
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		zdtm_assert_eq(events_for(epfd, plain_data[i]), 0);
		zdtm_assert(!eventfd_write(plain[i], 1));
		zdtm_assert_eq(events_for(epfd, plain_data[i]), EPOLLIN);
	}
	zdtm_assert_eq(events_for(epfd, DATA(7)), 0); /* its edge is over */
	zdtm_assert_eq(events_for(epfd, DATA(6)), 0); /* it had one shot */
	zdtm_assert(!epoll_ctl(epfd, EPOLL_CTL_DEL, ready, NULL));
	zdtm_assert_eq(events_for(epfd, DATA(3)), 0);
	zdtm_pass();
}
