// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line, read as getopt_long(3) would: options and operands in any order, short ones in
 * clusters, long ones abbreviated. Own code, since getopt keeps globals and prints by itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/parser.h"

#define DEFAULT_CONFIG      "/etc/criu/default.conf"
#define DEFAULT_CONFIG_HOME ".criu/default.conf"

/* An option as it stood on the command line. */
struct argv_item {
	const struct option_desc *desc;
	bool negated;
	const char *arg;
};

struct argv_scan {
	struct opts *opts;
	int argc;
	char *const *argv;
	int next; /* index of the argument that is looked at next */
	ARRAY(struct argv_item) items;
};

void opts_fini(struct opts *opts)
{
	arena_fini(&opts->arena);
}

void opts_parser_init(struct opts_parser *parser, struct opts *opts)
{
	*opts = (struct opts){
		.images_dir = ".",
		.verbosity = OPTS_VERBOSITY_DEFAULT,
		.status_fd = -1,
		.timeout = OPTS_TIMEOUT_UNSET,
		.ghost_limit = 1 << 20,
		.cpu_cap = OPTS_CPU_DEFAULT,
		.file_validation = OPTS_VALIDATE_BUILDID,
	};
	parser->opts = opts;
	parser->uses = ARENA_ARRAY(&opts->arena, struct option_use, option_count);
}

int opts_parser_set(struct opts_parser *parser, const struct option_desc *desc, bool negated,
		    const char *arg, const char *where, struct err *err)
{
	struct option_use *use = &parser->uses[desc - option_table];
	int ret = value_set(parser->opts, desc, negated, arg, err);

	use->where = negated ? NULL : where;
	use->arg = arg;
	return err_wrap(err, ret, "%s", where);
}

static int needs_arg(const struct option_desc *desc, struct err *err)
{
	return err_set(err, -EINVAL, "option '--%s' needs an argument: %s", desc->name,
		       desc->arg_name);
}

/* "--name", "--name=value" or "--name value". */
static int scan_long(struct argv_scan *scan, const char *text, struct err *err)
{
	size_t len = strcspn(text, "=");
	struct argv_item item = { .arg = text[len] ? text + len + 1 : NULL };

	item.desc = option_find(text, len, true, &item.negated, err);
	if (!item.desc)
		return -EINVAL;
	if (item.arg && (!item.desc->arg_name || item.negated))
		return err_set(err, -EINVAL, "option '--%.*s' takes no argument", (int)len, text);
	if (item.desc->arg_name && !option_arg_is_optional(item.desc) && !item.arg) {
		if (scan->next == scan->argc)
			return needs_arg(item.desc, err);
		item.arg = scan->argv[scan->next++];
	}
	*array_push(&scan->opts->arena, &scan->items) = item;
	return 0;
}

/* "-a", "-abc" or "-avalue"; @text is what follows the dash. */
static int scan_letters(struct argv_scan *scan, const char *text, struct err *err)
{
	while (*text) {
		struct argv_item item = { .desc = option_find_letter(*text) };

		if (!item.desc)
			return err_set(err, -EINVAL, "unknown option '-%c', see crib --help",
				       *text);
		text++;
		if (item.desc->arg_name) {
			if (*text)
				item.arg = text;
			else if (option_arg_is_optional(item.desc))
				item.arg = NULL;
			else if (scan->next == scan->argc)
				return needs_arg(item.desc, err);
			else
				item.arg = scan->argv[scan->next++];
			text = "";
		}
		*array_push(&scan->opts->arena, &scan->items) = item;
	}
	return 0;
}

static int scan_argv(struct argv_scan *scan, struct err *err)
{
	struct opts *opts = scan->opts;
	bool options_ended = false;

	while (scan->next < scan->argc) {
		const char *arg = scan->argv[scan->next++];
		int ret = 0;

		if (options_ended || arg[0] != '-' || !arg[1])
			*array_push(&opts->arena, &opts->operands) = arg;
		else if (!strcmp(arg, "--"))
			options_ended = true;
		else if (arg[1] == '-')
			ret = scan_long(scan, arg + 2, err);
		else
			ret = scan_letters(scan, arg + 1, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Takes the command from the operands. 0 also when there is none. */
static int take_command(struct opts *opts, struct err *err)
{
	if (!opts->operands.n)
		return 0;
	opts->command = command_find(opts->operands.v[0]);
	if (!opts->command)
		return err_set(err, -EINVAL, "unknown command '%s', see crib --help",
			       opts->operands.v[0]);
	opts->operands.v++;
	opts->operands.n--;
	opts->operands.cap--;
	if (opts->operands.n > opts->command->max_operands)
		return err_set(err, -EINVAL, "%s: what is '%s'? see crib %s --help",
			       opts->command->name, opts->operands.v[opts->command->max_operands],
			       opts->command->name);
	return 0;
}

static int apply_items(struct opts_parser *parser, const struct argv_scan *scan, bool for_argv,
		       struct err *err)
{
	array_each(const struct argv_item, item, &scan->items) {
		int ret;

		if (option_is_for_argv(item->desc) != for_argv)
			continue;
		ret = opts_parser_set(parser, item->desc, item->negated, item->arg,
				      arena_printf(&parser->opts->arena, "--%s%s",
						   item->negated ? "no-" : "", item->desc->name),
				      err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The file need not be there, and where crib may not look, as in another user's $HOME, is none. */
static int read_optional(struct opts_parser *parser, const char *path, struct err *err)
{
	int ret = config_read(parser, path, err);

	if (ret != -ENOENT && ret != -ENOTDIR && ret != -EACCES)
		return ret;
	*err = ERR_INIT;
	return 0;
}

/* In criu's order: what comes later overrides what came before. */
static int read_config_files(struct opts_parser *parser, struct err *err)
{
	struct opts *opts = parser->opts;
	const char *home = getenv("HOME"), *from_env = getenv("CRIU_CONFIG_FILE");
	int ret = 0;

	if (!opts->no_default_config)
		ret = read_optional(parser, DEFAULT_CONFIG, err);
	if (ret == 0 && !opts->no_default_config && home && *home)
		ret = read_optional(
			parser, arena_printf(&opts->arena, "%s/" DEFAULT_CONFIG_HOME, home), err);
	if (ret == 0 && from_env && *from_env)
		ret = err_wrap(err, config_read(parser, from_env, err), "CRIU_CONFIG_FILE");
	if (ret == 0 && opts->config_file)
		ret = err_wrap(err, config_read(parser, opts->config_file, err), "--config");
	return ret;
}

int opts_parse(struct opts *opts, int argc, char *const argv[], struct err *err)
{
	struct opts_parser parser;

	opts_parser_init(&parser, opts);
	struct argv_scan scan = { .opts = opts, .argc = argc, .argv = argv, .next = 1 };
	int ret = scan_argv(&scan, err);
	if (ret == 0)
		ret = take_command(opts, err);
	if (ret == 0)
		ret = apply_items(&parser, &scan, true, err);
	if (ret < 0 || opts->help || opts->version)
		return ret;
	ret = read_config_files(&parser, err);
	if (ret == 0)
		ret = apply_items(&parser, &scan, false, err);
	if (ret == 0)
		ret = opts_validate(&parser, err);
	return ret;
}
