/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Filling struct opts: from argv and configuration files here, from a service request later.
 */
#ifndef CRIB_CLI_PARSER_H
#define CRIB_CLI_PARSER_H

#include <stdbool.h>

#include "base/err.h"
#include "cli/options.h"
#include "cli/opts.h"

/* How an option was last used. */
struct option_use {
	const char *where; /* "--NAME", or "FILE:LINE: NAME"; NULL: not used, or taken back */
	const char *arg;
};

struct opts_parser {
	struct opts *opts;
	struct option_use *uses; /* as many as there are options, in the options' arena */
};

/*
 * The whole of it: configuration files, then argv, defaults and the checks of opts_validate().
 * @opts is written anew and keeps pointers into @argv; end it with opts_fini(), also on failure.
 * With --help or --version nothing but these and the command is set. 0 or -errno.
 */
int opts_parse(struct opts *opts, int argc, char *const argv[], struct err *err) __warn_unused;
void opts_fini(struct opts *opts);

/* One by one, for a caller that is no command line: defaults, options, then opts_validate(). */
void opts_parser_init(struct opts_parser *parser, struct opts *opts);

/* @where names the option in messages and must live as long as the options. */
int opts_parser_set(struct opts_parser *parser, const struct option_desc *desc, bool negated,
		    const char *arg, const char *where, struct err *err) __warn_unused;

/* Sets what stands in configuration file @path. 0 or -errno, -ENOENT when there is none. */
int config_read(struct opts_parser *parser, const char *path, struct err *err) __warn_unused;

/*
 * Refuses what crib cannot do yet and what does not go together, before any effect. Fills in what
 * depends on other options. Looks at nothing but the options and crib's own descriptors.
 */
int opts_validate(struct opts_parser *parser, struct err *err) __warn_unused;

#endif /* CRIB_CLI_PARSER_H */
