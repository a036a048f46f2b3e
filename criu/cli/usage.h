/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Texts made from the tables of options, commands, features and hooks: --help, the man page's
 * sections and the bash completion.
 */
#ifndef CRIB_CLI_USAGE_H
#define CRIB_CLI_USAGE_H

#include <stdio.h>

#include "base/err.h"
#include "cli/command.h"

/* All of --help, or, with @command, what concerns that one. */
void usage_print(FILE *out, const struct command *command);

/*
 * For "make", not for users: copies a template from @in to @out and puts a generated text in place
 * of each line that is "@NAME@": @COMMANDS@, @OPTIONS@, @FEATURES@, @HOOKS@ for the man page,
 * @COMPLETION@ for bash. 0 or -EINVAL.
 */
int usage_generate(FILE *in, FILE *out, struct err *err);

#endif /* CRIB_CLI_USAGE_H */
