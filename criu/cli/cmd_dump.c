// SPDX-License-Identifier: GPL-2.0-only
/*
 * crib dump.
 */
#include "cli/command.h"
#include "dump/dump.h"

int cmd_dump(const struct opts *opts, struct err *err)
{
	return err_wrap(err, dump_tree(opts, err), "dump");
}
