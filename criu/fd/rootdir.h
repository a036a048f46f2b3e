/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paths of the image, looked up below the root directory of a restore. With --root everything stays
 * below it: absolute symbolic links start there again, and ".." does not lead out of it.
 */
#ifndef CRIB_FD_ROOTDIR_H
#define CRIB_FD_ROOTDIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "cli/opts.h"

struct rootdir {
	int fd;        /* borrowed, may be O_PATH */
	bool confined; /* links of what is below do not lead out of it */
};

struct rootdir rootdir_of(const struct opts *opts, int root_fd);

/* As open(2), with O_CLOEXEC. The caller's descriptor; or -1 with errno. */
int rootdir_open(const struct rootdir *root, const char *path, int flags, mode_t mode);

/*
 * The directory that @path is in, for calls that take a descriptor and a name; *ret_name is the
 * last part of @path. The caller's descriptor, O_PATH; or -1 with errno.
 */
int rootdir_open_parent(const struct rootdir *root, const char *path, const char **ret_name);

/* What rootdir_open() does by openat2(2), link by link, where that call cannot be had. */
int rootdir_walk(const struct rootdir *root, const char *path, int flags, mode_t mode);

#endif /* CRIB_FD_ROOTDIR_H */
