/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of descriptors share: files with known content, and the look at descriptors
 * through fcntl() and /proc. Each function fails the test when it cannot do its work.
 */
#ifndef CRIB_ZDTM_LIB_FD_H
#define CRIB_ZDTM_LIB_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* ---- files ---- */

/* open() with mode 0644 for a new file. */
int fd_open(const char *path, int flags);

/* Makes the file @path, or overwrites it, with @size bytes of mem_fill() and @seed. */
void fd_make_file(const char *path, size_t size, uint32_t seed);

/* Fails the test unless the @size bytes at @offset are those of mem_fill() and @seed. */
void fd_check_content(int fd, off_t offset, size_t size, uint32_t seed);

/* Writes or reads exactly @size bytes. */
void fd_write_all(int fd, const void *buf, size_t size);
void fd_read_all(int fd, void *buf, size_t size);

/* Fails the test unless the next bytes that @fd gives are @text. */
void fd_expect(int fd, const char *text);

/* How many names the directory @path has, without . and .. */
size_t fd_count_names(const char *path);

/* ---- descriptors ---- */

/* What has to be the same afterwards. */
struct fd_state {
	int fd;
	int status; /* F_GETFL */
	int cloexec;
	off_t pos; /* -1 when it has none */
	struct stat stat;
};

struct fd_state fd_state_take(int fd);

/*
 * Fails the test unless the descriptor is as @before says: flags, position, type, mode, owner,
 * size. fd_state_check_same() in addition wants the very same inode.
 */
void fd_state_check(const struct fd_state *before);
void fd_state_check_same(const struct fd_state *before);

/* Fails the test unless @fd is closed. */
void fd_check_closed(int fd);

/* Moves @fd to the number @to, which must be free. */
int fd_move(int fd, int to);

/* Whether the next read of @fd would not block. */
bool fd_has_input(int fd);

/*
 * The value of the line "@key:" of /proc/self/fdinfo/@fd without white space around it; false when
 * there is no such line.
 */
bool fd_info(int fd, const char *key, char *buf, size_t size);

/* The target of /proc/self/fd/@fd. */
void fd_link(int fd, char *buf, size_t size);

/* Raises RLIMIT_NOFILE to @count descriptors; skips the test when that is not allowed. */
void fd_want_numbers(unsigned int count);

#endif
