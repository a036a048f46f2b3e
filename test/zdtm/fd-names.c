/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Open files with names that a reader of /proc could take for something else: with a newline, a
 * blank, a backslash, bytes that are no text, the word " (deleted)", and a very long path.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

static const char *const names[] = {
	"with blank",     "new\nline",       "back\\slash\\012", "not \xff\xfe text", "x (deleted)",
	" leading blank", "trailing blank ", "pipe:[123]",       "memfd:name",        "percent%s%n",
};
enum { N = sizeof(names) / sizeof(*names), DEPTH = 8, SIZE = 5000 };

/* Makes and enters directories until the path is thousands of characters long. */
static int open_deep(void)
{
	char name[200];
	memset(name, 'd', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	int home = fd_open(".", O_RDONLY | O_DIRECTORY);
	for (size_t i = 0; i < DEPTH; i++)
		zdtm_assert(!mkdir(name, 0755) && !chdir(name));
	fd_make_file("deep", SIZE, N);
	int fd = fd_open("deep", O_RDONLY);
	zdtm_assert(!fchdir(home));
	close(home);
	return fd;
}

int main(void)
{
	struct fd_state states[N + 1];
	unsigned char *mems[N];
	for (uint32_t i = 0; i < N; i++) {
		const char *name = names[i];
		fd_make_file(name, SIZE, i);
		int fd = fd_open(name, O_RDWR);
		zdtm_assert(lseek(fd, i, SEEK_SET) == i);
		states[i] = fd_state_take(fd);
		mems[i] = mem_map_file(fd, 0, SIZE, PROT_READ, MAP_PRIVATE);
	}
	int deep = open_deep();
	states[N] = fd_state_take(deep);
	char path[PATH_MAX], now[PATH_MAX];
	fd_link(deep, path, sizeof(path));

	zdtm_ready();

	for (uint32_t i = 0; i <= N; i++) {
		fd_state_check_same(&states[i]);
		fd_check_content(states[i].fd, 0, SIZE, i);
		if (i < N)
			mem_check(mems[i], SIZE, i, "mapping of a file with a rare name");
	}
	fd_link(deep, now, sizeof(now));
	zdtm_assert(!strcmp(path, now));
	zdtm_pass();
}
