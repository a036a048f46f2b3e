/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What other kinds that have a path share with regular files.
 */
#ifndef CRIB_FD_REG_H
#define CRIB_FD_REG_H

#include "fd/fd_kind.h"

/* Dump: can what @ofd is named be opened again? As fd_kind.check. */
int reg_check(const struct fd_extract *x, const struct ofd *ofd, struct err *err);

/*
 * Dump: a file entry that nothing else refers to, for a description that has an entry of another
 * kind. @fd is borrowed. 0 or -errno.
 */
int reg_extract_new(struct fd_extract *x, const struct rec_fd *rec, int fd, struct ofd **ret_ofd,
		    struct err *err);

#endif /* CRIB_FD_REG_H */
