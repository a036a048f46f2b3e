/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restore: descriptors made of other descriptors, and the flags that every description has.
 */
#ifndef CRIB_FD_REOPEN_H
#define CRIB_FD_REOPEN_H

#include "fd/fd_kind.h"

/* The kernel's O_LARGEFILE, which libc defines as 0 where off_t is 64 bits wide. */
extern const uint32_t kernel_o_largefile;

/* A new description of what @fd refers to, by /proc/self/fd. The caller's; or -errno. */
int fd_reopen(int fd, int flags, struct err *err);

/* Sets those of @flags that F_SETFL can change, except O_ASYNC. 0 or -errno. */
int fd_set_status(int fd, uint32_t flags, struct err *err);

/*
 * Owner and O_ASYNC, for kind->finish: the signal tells the number that is used here. 0 or -errno.
 */
bool fd_needs_async(uint32_t flags, const FownEntry *fown);
int fd_set_async(int fd, uint32_t flags, const FownEntry *fown, struct err *err);

/* A duplicate of descriptor @number of a task that has been forked. Or -errno. */
int fd_of_task(const struct task *task, int number, struct err *err);

/* The same for an actor, which may be the caller. */
int fd_fetch_number(const struct fd_opener *opener, const struct task *task, int number,
		    struct err *err);

/*
 * What --inherit-fd gave in place of @ofd: a duplicate, or a new description if that one is not
 * open for what @flags need. The caller owns *ret_fd. Only where ofd->inherited_fd >= 0.
 */
int fd_open_inherited(const struct ofd *ofd, uint32_t flags, int *ret_fd, struct err *err);

#endif /* CRIB_FD_REOPEN_H */
