// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of commands, see command.h.
 */
#include <string.h>

#include "cli/command.h"

const struct command command_table[CMD_MAX] = {
	[CMD_DUMP] = { .name = "dump",
		       .help = "write the process tree below a pid into image files" },
	[CMD_RESTORE] = { .name = "restore", .help = "bring a dumped process tree back" },
	[CMD_CHECK] = { .name = "check", .help = "find out what this kernel can do" },
	[CMD_INSPECT] = { .name = "inspect",
			  .operands = "DIR",
			  .max_operands = 1,
			  .help = "show what image files hold, or, with -t, what a dump would" },
	[CMD_BPF] = { .name = "bpf",
		      .operands = "pin|unpin|status",
		      .max_operands = 1,
		      .help = "keep the BPF programs in the kernel, so that they need not be "
			      "loaded "
			      "again, remove them, or list them" },
	[CMD_PRE_DUMP] = { .name = "pre-dump",
			   .refusal = "incremental dumps are not supported yet, use dump" },
	[CMD_PAGE_SERVER] = { .name = "page-server",
			      .refusal = "not supported yet, dump into a directory and copy it" },
	[CMD_SERVICE] = { .name = "service",
			  .refusal = "not supported yet, call crib dump and crib restore" },
	[CMD_SWRK] = { .name = "swrk",
		       .max_operands = 1,
		       .refusal = "not supported yet, call crib dump and crib restore" },
	[CMD_DEDUP] = { .name = "dedup",
			.refusal = "not supported yet, there are no incremental dumps either" },
	[CMD_LAZY_PAGES] = { .name = "lazy-pages",
			     .refusal = "not supported yet, restore without --lazy-pages" },
	[CMD_CPUINFO] = { .name = "cpuinfo",
			  .max_operands = 1,
			  .refusal = "not supported yet, see --cpu-cap of dump and restore" },
	[CMD_EXEC] = { .name = "exec",
		       .max_operands = SIZE_MAX,
		       .refusal = "was removed from criu" },
	[CMD_SHOW] = { .name = "show",
		       .max_operands = SIZE_MAX,
		       .refusal = "was removed from criu, use crib inspect DIR, or crit decode" },
};

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < CMD_MAX; i++) {
		if (!strcmp(command_table[i].name, name))
			return &command_table[i];
	}
	return NULL;
}

enum command_id command_id(const struct command *command)
{
	return (enum command_id)(command - command_table);
}
