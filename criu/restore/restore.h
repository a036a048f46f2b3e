/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Restore: an image directory becomes a running process tree, all of it or nothing.
 */
#ifndef CRIB_RESTORE_RESTORE_H
#define CRIB_RESTORE_RESTORE_H

#include "base/err.h"
#include "cli/opts.h"

/*
 * The whole of "crib restore". With opts->show_plan the plan is printed and nothing happens.
 * Without opts->restore_detached it returns when the root task has exited. 0 or -errno.
 */
int restore_tree(const struct opts *opts, struct err *err);

#endif /* CRIB_RESTORE_RESTORE_H */
