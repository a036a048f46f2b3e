/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fanotify group is refused in words, and goes on telling.
 */
/* refused: fanotify group */
#include <fcntl.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

int main(void)
{
	struct fanotify_event_metadata event;
	fd_make_file("file", 100, 1);
	int group = fanotify_init(FAN_NONBLOCK, O_RDONLY);
	if (group < 0)
		zdtm_skip("no fanotify here: %m");
	zdtm_assert(!fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "file"));

	zdtm_ready();

	fd_open("file", O_RDONLY);
	zdtm_assert(read(group, &event, sizeof(event)) == sizeof(event));
	zdtm_assert(event.mask == FAN_OPEN);
	zdtm_pass();
}
