/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A directory that was read in part is read on where it was, and serves as the start of paths.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fd.h"
#include "zdtm.h"

enum { FILES = 500, BUFFER = 1024 };

/* As getdents64() fills it; the C library declares it only for its own readdir(). */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

/* Counts in @seen the names of one buffer; false at the end of the directory. */
static bool read_some(int fd, unsigned char *seen)
{
	_Alignas(struct entry) char buf[BUFFER];
	long n = syscall(SYS_getdents64, fd, buf, sizeof(buf));
	zdtm_assert(n >= 0);
	for (long at = 0; at < n;) {
		const struct entry *entry = (const struct entry *)(buf + at);
		unsigned int index;
		if (sscanf(entry->name, "file-%u", &index) == 1 && index < FILES)
			seen[index]++;
		at += entry->len;
	}
	return n > 0;
}

static void check_once(const unsigned char *seen, const char *what)
{
	for (size_t i = 0; i < FILES; i++)
		if (seen[i] != 1)
			zdtm_fail("%s: file-%zu was read %d times", what, i, seen[i]);
}

int main(void)
{
	static unsigned char part[FILES], whole[FILES];
	zdtm_assert(!mkdir("dir", 0755));
	for (size_t i = 0; i < FILES; i++) {
		char path[32];
		snprintf(path, sizeof(path), "dir/file-%zu", i);
		close(fd_open(path, O_WRONLY | O_CREAT));
	}
	int fd = fd_open("dir", O_RDONLY | O_DIRECTORY), copy = dup(fd);
	int fresh = fd_open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < 5; i++)
		zdtm_assert(read_some(fd, part));
	struct fd_state states[] = { fd_state_take(fd), fd_state_take(copy), fd_state_take(fresh) };

	zdtm_ready();

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check_same(&states[i]);
	while (read_some(copy, part))
		;
	check_once(part, "directory read in two parts");
	while (read_some(fresh, whole))
		;
	check_once(whole, "directory read afterwards");
	zdtm_assert(!faccessat(fd, "file-7", F_OK, 0));
	zdtm_assert(!fchdir(fd) && !access("file-8", F_OK));
	zdtm_pass();
}
