// SPDX-License-Identifier: GPL-2.0-only
/*
 * crib restore.
 */
#include "cli/command.h"
#include "restore/restore.h"

int cmd_restore(const struct opts *opts, struct err *err)
{
	return err_wrap(err, restore_tree(opts, err), "restore");
}
