/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scope releases: a variable declared with one of these attributes frees what it holds when its
 * scope ends. A result leaves the scope by take_fd() or take_ptr().
 */
#ifndef CRIB_BASE_CLEANUP_H
#define CRIB_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes *fd unless it is negative, keeps errno. */
static inline void cleanup_close(int *fd)
{
	if (*fd < 0)
		return;
	int saved = errno;
	close(*fd);
	errno = saved;
}

static inline void cleanup_free(void *ptr)
{
	free(*(void **)ptr);
}

static inline void cleanup_closedir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static inline void cleanup_fclose(FILE **file)
{
	if (*file)
		fclose(*file);
}

#define _cleanup_close_    __attribute__((cleanup(cleanup_close)))
#define _cleanup_free_     __attribute__((cleanup(cleanup_free)))
#define _cleanup_closedir_ __attribute__((cleanup(cleanup_closedir)))
#define _cleanup_fclose_   __attribute__((cleanup(cleanup_fclose)))
#define _cleanup_(fn)      __attribute__((cleanup(fn)))

/* Gives *fd away: the caller owns the result, the variable no longer does. */
static inline int take_fd(int *fd)
{
	int ret = *fd;

	*fd = -1;
	return ret;
}

#define take_ptr(ptr)                                                                              \
	({                                                                                         \
		__typeof__(ptr) __taken = (ptr);                                                   \
		(ptr) = NULL;                                                                      \
		__taken;                                                                           \
	})

#endif /* CRIB_BASE_CLEANUP_H */
