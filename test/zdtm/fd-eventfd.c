/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eventfds keep their counter, up to the largest one, are semaphores or not, and one is shared with
 * a child that sleeps in its read(). Kernels before 6.5 do not tell what is a semaphore: there it
 * is one of nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

static int shared;

static int child(void *arg)
{
	eventfd_t value;
	(void)arg;
	zdtm_child_ready();
	zdtm_assert(!eventfd_read(shared, &value));
	zdtm_assert_eq(value, 99);
	return 0;
}

static bool tells_semaphores(void)
{
	char text[512] = "", path[64];
	int fd = eventfd(0, EFD_SEMAPHORE);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	int info = fd_open(path, O_RDONLY);
	zdtm_assert(read(info, text, sizeof(text) - 1) > 0);
	zdtm_assert(!close(info) && !close(fd));
	return strstr(text, "eventfd-semaphore") != NULL;
}

int main(void)
{
	eventfd_t value;
	const unsigned int units = tells_semaphores() ? 2 : 0;
	const eventfd_t most = UINT64_MAX - 1;
	int counter = eventfd(7, 0), semaphore = eventfd(units, EFD_SEMAPHORE | EFD_NONBLOCK);
	int zero = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), large = eventfd(0, EFD_NONBLOCK);
	shared = eventfd(0, 0);
	zdtm_assert(counter >= 0 && semaphore >= 0 && zero >= 0 && large >= 0 && shared >= 0);
	zdtm_assert(!eventfd_write(large, most));
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_await_state(pid, 'S');
	struct fd_state states[] = { fd_state_take(counter), fd_state_take(semaphore),
				     fd_state_take(zero), fd_state_take(large),
				     fd_state_take(shared) };

	zdtm_ready();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check(&states[i]);
	zdtm_assert(!eventfd_read(counter, &value) && value == 7);
	for (unsigned int i = 0; i < units; i++)
		zdtm_assert(!eventfd_read(semaphore, &value) && value == 1);
	zdtm_assert(eventfd_read(semaphore, &value) < 0 && errno == EAGAIN);
	zdtm_assert(eventfd_read(zero, &value) < 0 && errno == EAGAIN);
	zdtm_assert(eventfd_write(large, 1) < 0 && errno == EAGAIN);
	zdtm_assert(!eventfd_read(large, &value) && value == most);
	zdtm_await_state(pid, 'S');
	zdtm_assert(!eventfd_write(shared, 99));
	zdtm_join(pid);
	zdtm_assert(!eventfd_write(zero, 5) && !eventfd_read(zero, &value) && value == 5);
	zdtm_pass();
}
