/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Deleted files: content, owner, mode and times, one inode for descriptors that were opened apart,
 * in two tasks and by a mapping, and no trace of the file in its directory.
 */
#include <fcntl.h>
#include <unistd.h>

#include "fd.h"
#include "mem.h"
#include "zdtm.h"

enum { SIZE = 50000 };

static int reader, writer;

static int child(void *arg)
{
	int own = fd_open("shared", O_RDONLY);
	struct fd_state *unlinked = arg;
	zdtm_assert(lseek(own, 300, SEEK_SET) == 300);
	zdtm_child_wait();
	zdtm_assert_eq(lseek(own, 0, SEEK_CUR), 300);
	fd_check_content(own, 0, 5, 9);
	fd_check_content(unlinked->fd, 0, SIZE, 1);
	zdtm_assert_eq(lseek(unlinked->fd, 0, SEEK_CUR), 1234);
	zdtm_assert(pwrite(writer, "child", 5, 100) == 5);
	return 0;
}

static struct fd_state open_single(void)
{
	static const struct timespec times[] = { { .tv_sec = 1000000 }, { .tv_sec = 2000000 } };
	fd_make_file("single", SIZE, 1);
	int fd = fd_open("single", O_RDWR | O_APPEND);
	zdtm_assert(!fchown(fd, 12345, 54321));
	zdtm_assert(!fchmod(fd, 0640));
	zdtm_assert(!futimens(fd, times));
	zdtm_assert(lseek(fd, 1234, SEEK_SET) == 1234);
	zdtm_assert(!unlink("single"));
	return fd_state_take(fd);
}

int main(void)
{
	struct fd_state single = open_single();
	fd_make_file("shared", SIZE, 2);
	writer = fd_open("shared", O_WRONLY | O_CLOEXEC);
	reader = fd_open("shared", O_RDONLY);
	unsigned char *mem = mem_map_file(reader, 0, SIZE, PROT_READ, MAP_SHARED);
	zdtm_assert(lseek(reader, 10, SEEK_SET) == 10 && lseek(writer, 20, SEEK_SET) == 20);
	pid_t pid = zdtm_spawn(child, &single);
	zdtm_assert(!unlink("shared"));
	struct fd_state states[] = { single, fd_state_take(reader), fd_state_take(writer) };
	size_t names = fd_count_names(".");

	zdtm_ready();

	zdtm_assert_eq(fd_count_names("."), names + 1); /* one tells the runner */
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		fd_state_check(&states[i]);
	struct stat a, b;
	zdtm_assert(!fstat(single.fd, &a));
	zdtm_assert_eq(a.st_mtim.tv_sec, 2000000);
	zdtm_assert_eq(a.st_nlink, 0);
	zdtm_assert(!fstat(reader, &a) && !fstat(writer, &b));
	zdtm_assert_eq(a.st_ino, b.st_ino);
	fd_check_content(reader, 0, SIZE, 2);
	unsigned char start[5];
	mem_fill(start, sizeof(start), 9);
	zdtm_assert(pwrite(writer, start, sizeof(start), 0) == sizeof(start));
	fd_check_content(reader, 0, sizeof(start), 9);
	zdtm_join(pid);
	zdtm_assert(lseek(reader, 100, SEEK_SET) == 100);
	fd_expect(reader, "child");
	mem_check(mem, sizeof(start), 9, "mapping of the deleted file");
	zdtm_assert(access("single", F_OK) && access("shared", F_OK));
	zdtm_pass();
}
