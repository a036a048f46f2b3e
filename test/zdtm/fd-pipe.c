/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pipes with their content: empty, with some bytes, full to the last byte, each with its own flags
 * for either end, and one whose ends have numbers that another pipe's ends have in a child.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SOME = 5000, LOW = 40, HIGH = 41 };

struct pipe {
	int r, w;
};

static struct pipe new_pipe(int flags)
{
	int fds[2];
	zdtm_assert(!pipe2(fds, flags));
	return (struct pipe){ fds[0], fds[1] };
}

/* Writes until nothing more goes in; returns how much that was. */
static size_t fill_up(int fd)
{
	size_t capacity = (size_t)fcntl(fd, F_GETPIPE_SZ), done = 0;
	char *buf = malloc(capacity);
	zdtm_assert(buf);
	mem_fill(buf, capacity, 2);
	for (ssize_t n; done < capacity && (n = write(fd, buf + done, capacity - done)) > 0;)
		done += (size_t)n;
	zdtm_assert_eq(done, capacity);
	zdtm_assert(write(fd, buf, 1) < 0 && errno == EAGAIN);
	free(buf);
	return done;
}

static void check_bytes(int fd, size_t size, uint32_t seed)
{
	int bytes;
	zdtm_assert(!ioctl(fd, FIONREAD, &bytes));
	zdtm_assert_eq(bytes, size);
	char *buf = malloc(size);
	zdtm_assert(buf);
	fd_read_all(fd, buf, size);
	mem_check(buf, size, seed, "content of the pipe");
	free(buf);
}

/* Has a pipe of its own, the other way round at the same numbers. */
static int child(void *arg)
{
	(void)arg;
	struct pipe own = new_pipe(0);
	close(LOW);
	close(HIGH);
	fd_move(own.r, HIGH);
	fd_move(own.w, LOW);
	zdtm_assert(write(LOW, "of the child", 12) == 12);
	zdtm_child_wait();
	fd_expect(HIGH, "of the child");
	return 0;
}

int main(void)
{
	struct pipe empty = new_pipe(0), some = new_pipe(O_CLOEXEC), full = new_pipe(O_NONBLOCK);
	struct pipe swapped = new_pipe(0);
	fd_move(swapped.r, LOW);
	fd_move(swapped.w, HIGH);
	char buf[SOME];
	mem_fill(buf, sizeof(buf), 1);
	fd_write_all(some.w, buf, sizeof(buf));
	zdtm_assert(!fcntl(some.r, F_SETFL, O_NONBLOCK));
	size_t capacity = fill_up(full.w);
	zdtm_assert(write(HIGH, "of the parent", 13) == 13);
	pid_t pid = zdtm_spawn(child, NULL);
	struct fd_state states[] = { fd_state_take(empty.r), fd_state_take(empty.w),
				     fd_state_take(some.r),  fd_state_take(some.w),
				     fd_state_take(full.r),  fd_state_take(full.w) };

	zdtm_ready();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check(&states[i]);
	zdtm_assert(!fd_has_input(empty.r));
	fd_write_all(empty.w, "hello", 5);
	fd_expect(empty.r, "hello");
	check_bytes(some.r, SOME, 1);
	zdtm_assert(read(some.r, buf, 1) < 0 && errno == EAGAIN);
	zdtm_assert(write(full.w, "x", 1) < 0 && errno == EAGAIN);
	check_bytes(full.r, capacity, 2);
	zdtm_assert_eq(fill_up(full.w), capacity);
	fd_expect(LOW, "of the parent");
	zdtm_join(pid);
	zdtm_pass();
}
