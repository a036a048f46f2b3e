/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The settings of a terminal: modes, window size, packet mode, locks; both ways.
 */
#ifndef CRIB_FD_TTY_SETTINGS_H
#define CRIB_FD_TTY_SETTINGS_H

#include "fd/fd_kind.h"

/* Dump: fills @info from @fd. A terminal that was hung up has none: info->termios stays NULL. */
void tty_settings_read(struct snapshot *snap, TtyInfoEntry *info, int fd, bool master);

/*
 * Restore: @ours says that the pair was made by crib. Somebody else's terminal keeps its window
 * size: see fd_restore_end().
 */
int tty_settings_write(const TtyInfoEntry *info, int fd, bool master, bool ours, struct err *err);

/* Restore: TIOCEXCL, which each end of a pair has for itself. */
int tty_settings_exclusive(const TtyInfoEntry *info, int fd, struct err *err);

#endif /* CRIB_FD_TTY_SETTINGS_H */
