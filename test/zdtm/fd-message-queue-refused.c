/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A POSIX message queue has a name like a file's, and is none: it is refused in words.
 */
/* refused: POSIX message queue */
#include <fcntl.h>
#include <mqueue.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

/* By system calls, since the functions are in a library of their own on old systems. */
static int open_queue(const char *name)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 16 };
	return (int)syscall(SYS_mq_open, name, O_CREAT | O_EXCL | O_RDWR | O_NONBLOCK, 0600, &attr);
}

int main(void)
{
	char name[32], text[16];
	snprintf(name, sizeof(name), "zdtm-%d", (int)getpid());
	int fd = open_queue(name);
	if (fd < 0)
		zdtm_skip("no POSIX message queues: %m");
	syscall(SYS_mq_unlink, name);
	zdtm_assert(!syscall(SYS_mq_timedsend, fd, "kept", 5UL, 0UL, NULL));

	zdtm_ready();

	zdtm_assert(syscall(SYS_mq_timedreceive, fd, text, sizeof(text), NULL, NULL) == 5);
	zdtm_assert(!strcmp(text, "kept"));
	zdtm_pass();
}
