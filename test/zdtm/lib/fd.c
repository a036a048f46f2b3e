/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files and descriptors for the tests of descriptors.
 */
#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "mem.h"
#include "zdtm.h"

/* ---- files ---- */

int fd_open(const char *path, int flags)
{
	int fd = open(path, flags, 0644);
	if (fd < 0)
		zdtm_fail("open '%s' with flags 0%o: %m", path, (unsigned int)flags);
	return fd;
}

void fd_make_file(const char *path, size_t size, uint32_t seed)
{
	int fd = fd_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
	char *buf = malloc(size + 1);
	zdtm_assert(buf);
	mem_fill(buf, size, seed);
	fd_write_all(fd, buf, size);
	free(buf);
	close(fd);
}

void fd_check_content(int fd, off_t offset, size_t size, uint32_t seed)
{
	char *buf = malloc(size + 1), what[64];
	zdtm_assert(buf);
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, buf + done, size - done, offset + (off_t)done);
		if (n <= 0)
			zdtm_fail("descriptor %d: read at %lld: %s", fd, (long long)offset,
				  n ? strerror(errno) : "end of file");
		done += (size_t)n;
	}
	snprintf(what, sizeof(what), "descriptor %d at %lld", fd, (long long)offset);
	mem_check(buf, size, seed, what);
	free(buf);
}

void fd_write_all(int fd, const void *buf, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, (const char *)buf + done, size - done);
		if (n < 0 && errno != EINTR)
			zdtm_fail("descriptor %d: write: %m", fd);
		done += n > 0 ? (size_t)n : 0;
	}
}

void fd_read_all(int fd, void *buf, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = read(fd, (char *)buf + done, size - done);
		if (n == 0 || (n < 0 && errno != EINTR))
			zdtm_fail("descriptor %d: read of %zu bytes ended after %zu: %s", fd, size,
				  done, n ? strerror(errno) : "end of file");
		done += n > 0 ? (size_t)n : 0;
	}
}

void fd_expect(int fd, const char *text)
{
	char buf[256];
	size_t len = strlen(text);
	zdtm_assert(len < sizeof(buf));
	fd_read_all(fd, buf, len);
	if (memcmp(buf, text, len))
		zdtm_fail("descriptor %d gives '%.*s', not '%s'", fd, (int)len, buf, text);
}

size_t fd_count_names(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir)
		zdtm_fail("open directory '%s': %m", path);
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(dir));)
		count += strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
	closedir(dir);
	return count;
}

/* ---- descriptors ---- */

struct fd_state fd_state_take(int fd)
{
	struct fd_state state = {
		.fd = fd,
		.status = fcntl(fd, F_GETFL),
		.cloexec = fcntl(fd, F_GETFD),
		.pos = lseek(fd, 0, SEEK_CUR),
	};
	if (state.status < 0 || fstat(fd, &state.stat))
		zdtm_fail("descriptor %d: %m", fd);
	return state;
}

void fd_state_check(const struct fd_state *before)
{
	int fd = before->fd;
	struct fd_state now = fd_state_take(fd);
	if (now.status != before->status)
		zdtm_fail("descriptor %d: flags are 0%o, not 0%o", fd, (unsigned int)now.status,
			  (unsigned int)before->status);
	if (now.cloexec != before->cloexec)
		zdtm_fail("descriptor %d: close-on-exec is %d, not %d", fd, now.cloexec,
			  before->cloexec);
	if (now.pos != before->pos)
		zdtm_fail("descriptor %d: position is %lld, not %lld", fd, (long long)now.pos,
			  (long long)before->pos);
	if (now.stat.st_mode != before->stat.st_mode)
		zdtm_fail("descriptor %d: type and mode are 0%o, not 0%o", fd, now.stat.st_mode,
			  before->stat.st_mode);
	zdtm_assert_eq(now.stat.st_uid, before->stat.st_uid);
	zdtm_assert_eq(now.stat.st_gid, before->stat.st_gid);
	zdtm_assert_eq(now.stat.st_nlink, before->stat.st_nlink);
	if (S_ISREG(now.stat.st_mode) && now.stat.st_size != before->stat.st_size)
		zdtm_fail("descriptor %d: size is %lld, not %lld", fd, (long long)now.stat.st_size,
			  (long long)before->stat.st_size);
}

void fd_state_check_same(const struct fd_state *before)
{
	fd_state_check(before);
	struct fd_state now = fd_state_take(before->fd);
	zdtm_assert_eq(now.stat.st_dev, before->stat.st_dev);
	zdtm_assert_eq(now.stat.st_ino, before->stat.st_ino);
}

void fd_check_closed(int fd)
{
	if (fcntl(fd, F_GETFD) >= 0)
		zdtm_fail("descriptor %d is open", fd);
}

int fd_move(int fd, int to)
{
	fd_check_closed(to);
	int flags = fcntl(fd, F_GETFD);
	zdtm_assert(dup3(fd, to, flags & FD_CLOEXEC ? O_CLOEXEC : 0) == to);
	close(fd);
	return to;
}

bool fd_has_input(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	int n = poll(&pollfd, 1, 0);
	if (n < 0)
		zdtm_fail("poll descriptor %d: %m", fd);
	return n && (pollfd.revents & POLLIN);
}

bool fd_info(int fd, const char *key, char *buf, size_t size)
{
	char path[64], text[4096];
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	zdtm_read_file(path, text, sizeof(text));
	size_t key_len = strlen(key);
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, key_len) || line[key_len] != ':')
			continue;
		line += key_len + 1;
		line += strspn(line, " \t");
		snprintf(buf, size, "%.*s", (int)strcspn(line, "\n"), line);
		return true;
	}
	return false;
}

void fd_link(int fd, char *buf, size_t size)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(path, buf, size - 1);
	if (n < 0)
		zdtm_fail("readlink '%s': %m", path);
	buf[n] = 0;
}

void fd_want_numbers(unsigned int count)
{
	struct rlimit limit;
	zdtm_assert(!getrlimit(RLIMIT_NOFILE, &limit));
	if (limit.rlim_cur >= count)
		return;
	limit.rlim_cur = count;
	if (limit.rlim_max < count || setrlimit(RLIMIT_NOFILE, &limit))
		zdtm_skip("RLIMIT_NOFILE is below %u", count);
}
