/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands: what "crib COMMAND" may be. Their descriptions are here, main.c knows who runs
 * them.
 */
#ifndef CRIB_CLI_COMMAND_H
#define CRIB_CLI_COMMAND_H

#include <stddef.h>

#include "base/err.h"
#include "cli/opts.h"

enum command_id {
	CMD_DUMP,
	CMD_RESTORE,
	CMD_CHECK,
	CMD_INSPECT,
	CMD_BPF,
	CMD_PRE_DUMP,
	CMD_PAGE_SERVER,
	CMD_SERVICE,
	CMD_SWRK,
	CMD_DEDUP,
	CMD_LAZY_PAGES,
	CMD_CPUINFO,
	CMD_EXEC,
	CMD_SHOW,
	CMD_MAX,
};

#define CMD_BIT(id) (1U << (id))
#define CMD_ALL     (CMD_BIT(CMD_MAX) - 1)

struct command {
	const char *name;
	const char *operands; /* as --help shows them; NULL: takes none */
	const char *help;     /* NULL: one of criu's that crib cannot do */
	const char *refusal;  /* why not, when help is NULL */
	size_t max_operands;
};

/* Indexed by enum command_id. */
extern const struct command command_table[CMD_MAX];

/* NULL when there is none of that name. */
const struct command *command_find(const char *name);
enum command_id command_id(const struct command *command);

/* One file each: cmd_NAME.c. 0 or -errno; an empty @err was printed already. */
int cmd_dump(const struct opts *opts, struct err *err);
int cmd_restore(const struct opts *opts, struct err *err);
int cmd_check(const struct opts *opts, struct err *err);
int cmd_inspect(const struct opts *opts, struct err *err);
int cmd_bpf(const struct opts *opts, struct err *err);

#endif /* CRIB_CLI_COMMAND_H */
