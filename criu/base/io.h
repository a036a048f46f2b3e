/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads and writes that go on until all is done, and whole small files.
 */
#ifndef CRIB_BASE_IO_H
#define CRIB_BASE_IO_H

#include <stddef.h>
#include <sys/types.h>

#include "base/strbuf.h"
#include "crib/compiler.h"

/* Number of bytes read, less than @size only at end of file; -errno. */
ssize_t io_read(int fd, void *buf, size_t size) __warn_unused;
ssize_t io_pread(int fd, void *buf, size_t size, off_t off) __warn_unused;

/* 0 when all of it is written; -errno. */
int io_write(int fd, const void *buf, size_t size) __warn_unused;
int io_pwrite(int fd, const void *buf, size_t size, off_t off) __warn_unused;

/* Appends the rest of @fd to @buf. 0 or -errno. */
int io_read_all(int fd, struct strbuf *buf) __warn_unused;

/*
 * Replaces @buf by the content of @path, looked up from @dirfd (AT_FDCWD for plain paths).
 * 0 or -errno of open or read. For /proc files: one read(2) where the buffer is large enough.
 */
int io_read_file(int dirfd, const char *path, struct strbuf *buf) __warn_unused;

/* Writes @str to an existing file such as one of /proc. 0 or -errno. */
int io_write_file(int dirfd, const char *path, const char *str) __warn_unused;

#endif /* CRIB_BASE_IO_H */
