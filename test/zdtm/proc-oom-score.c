/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * oom_score_adj, another one in a child.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "zdtm.h"

static const char path[] = "/proc/self/oom_score_adj";

static void set(const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	zdtm_assert(fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value));
	close(fd);
}

static void check(const char *value)
{
	char now[16];
	zdtm_read_file(path, now, sizeof(now));
	if (strcmp(now, value))
		zdtm_fail("oom_score_adj is %s, not %s", now, value);
}

static int child(void *unused)
{
	(void)unused;
	set("654\n");
	zdtm_child_wait();
	check("654\n");
	return 0;
}

int main(void)
{
	set("321\n");
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_ready();
	check("321\n");
	zdtm_join(pid);
	zdtm_pass();
}
