/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What restoring terminals needs beside their kind.
 */
#ifndef CRIB_FD_TTY_H
#define CRIB_FD_TTY_H

#include "fd/fd_kind.h"

/* The pair of this number that tty_prepare() made; NULL: it is outside of the tree. */
const struct tty_pair *tty_find_pair(const struct snapshot *snap, uint32_t index);

/* Coordinator: makes the pairs of the tree, at numbers from @service_fd on; and lets them go. */
int tty_prepare(struct snapshot *snap, int service_fd, struct err *err);
void tty_cleanup(struct snapshot *snap);

#endif /* CRIB_FD_TTY_H */
