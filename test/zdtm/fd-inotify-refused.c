/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An inotify instance is refused in words, and goes on telling.
 */
/* refused: inotify instance */
#include <fcntl.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

int main(void)
{
	union {
		struct inotify_event event;
		char room[sizeof(struct inotify_event) + NAME_MAX + 1];
	} got;
	fd_make_file("file", 100, 1);
	int fd = inotify_init1(IN_NONBLOCK);
	zdtm_assert(fd >= 0 && inotify_add_watch(fd, "file", IN_OPEN) > 0);

	zdtm_ready();

	fd_open("file", O_RDONLY);
	zdtm_assert(read(fd, &got, sizeof(got)) >= (ssize_t)sizeof(got.event));
	zdtm_assert_eq(got.event.mask, IN_OPEN);
	zdtm_pass();
}
