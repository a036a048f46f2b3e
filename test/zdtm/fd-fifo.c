/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FIFOs: open at both ends with bytes in it, open for both by one descriptor, only for reading,
 * deleted, and shared with a child that opened it apart. A restore that waits for the other end
 * would not end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

/* Opens both ends of a new FIFO; the reader has to be there before the writer. */
static void new_fifo(const char *name, int fds[2])
{
	zdtm_assert(!mkfifo(name, 0640));
	fds[0] = fd_open(name, O_RDONLY | O_NONBLOCK);
	fds[1] = fd_open(name, O_WRONLY);
}

static int child(void *arg)
{
	(void)arg;
	int own = fd_open("shared", O_WRONLY);
	zdtm_child_wait();
	return write(own, "child", 5) == 5 ? 0 : 1;
}

int main(void)
{
	int ends[2], half[2], gone[2], shared[2];
	char buf[16];
	signal(SIGPIPE, SIG_IGN);
	new_fifo("ends", ends);
	new_fifo("half", half);
	new_fifo("gone", gone);
	new_fifo("shared", shared);
	zdtm_assert(!mkfifo("both", 0600));
	int both = fd_open("both", O_RDWR);
	zdtm_assert(write(ends[1], "in the fifo", 11) == 11);
	zdtm_assert(write(half[1], "rest", 4) == 4);
	close(half[1]);
	zdtm_assert(write(gone[1], "deleted", 7) == 7 && !unlink("gone"));
	zdtm_assert(write(both, "both ways", 9) == 9);
	pid_t pid = zdtm_spawn(child, NULL);
	struct fd_state existing[] = { fd_state_take(ends[0]), fd_state_take(ends[1]),
				       fd_state_take(half[0]), fd_state_take(shared[0]),
				       fd_state_take(both) };
	struct fd_state deleted[] = { fd_state_take(gone[0]), fd_state_take(gone[1]) };

	zdtm_ready();

	for (size_t i = 0; i < sizeof(existing) / sizeof(*existing); i++)
		fd_state_check_same(&existing[i]);
	fd_state_check(&deleted[0]);
	fd_state_check(&deleted[1]);
	fd_expect(ends[0], "in the fifo");
	zdtm_assert(read(ends[0], buf, sizeof(buf)) < 0 && errno == EAGAIN);
	fd_expect(half[0], "rest");
	zdtm_assert_eq(read(half[0], buf, sizeof(buf)), 0);
	fd_expect(both, "both ways");
	fd_expect(gone[0], "deleted");
	fd_write_all(gone[1], "again", 5);
	fd_expect(gone[0], "again");
	zdtm_assert(access("gone", F_OK));
	int late = fd_open("ends", O_WRONLY | O_NONBLOCK);
	fd_write_all(late, "late", 4);
	fd_expect(ends[0], "late");
	zdtm_join(pid);
	fd_expect(shared[0], "child");
	zdtm_pass();
}
