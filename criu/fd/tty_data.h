/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bytes that wait inside a pseudo-terminal: what a slave has written and its master not yet read,
 * and what was typed and not yet read, with its unfinished line.
 */
#ifndef CRIB_FD_TTY_DATA_H
#define CRIB_FD_TTY_DATA_H

#include "fd/fd_kind.h"

/*
 * Dump: a terminal cannot be looked into, so what waits is read through crib's duplicate of the
 * master (and a descriptor of the slave) and written back at once; the tree is frozen. Adds entries
 * to snap->tty_data, with the ids of @master and @slave (NULL: no slave in the tree). 0 or -errno.
 */
int tty_data_save(struct snapshot *snap, TtyInfoEntry *master, const TtyInfoEntry *slave, int fd,
		  struct err *err);

/* Restore: puts back what snap->tty_data has for the pair; @fd is its master. 0 or -errno. */
int tty_data_restore(const struct snapshot *snap, const TtyInfoEntry *master,
		     const TtyInfoEntry *slave, int fd, struct err *err);

#endif /* CRIB_FD_TTY_DATA_H */
