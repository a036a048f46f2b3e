/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Telling the caller that the work is done: by a pidfile, and by a byte on a descriptor.
 */
#ifndef CRIB_BASE_READY_H
#define CRIB_BASE_READY_H

#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * Writes @pid, without a newline, into a new file @path, looked up from @dirfd. A file that is
 * there already is an error and stays as it is. 0 or -errno; a half-written file is removed.
 */
int ready_write_pidfile(int dirfd, const char *path, pid_t pid, struct err *err) __warn_unused;

/* Takes a pidfile back, for a restore that failed after all. */
void ready_remove_pidfile(int dirfd, const char *path);

/*
 * Waits until descriptor @fd takes a byte, before anything is done that it is to tell of. 0, also
 * for -1; -ETIMEDOUT: nobody reads what is in that pipe.
 */
int ready_await(int fd, int64_t deadline, struct err *err) __warn_unused;

/* Writes one zero byte to *@fd, closes it and makes it -1. 0, also for -1; or -errno. */
int ready_signal(int *fd, int64_t deadline, struct err *err) __warn_unused;

#endif /* CRIB_BASE_READY_H */
