// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the options say together: refused before any effect, with one line.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cli/command.h"
#include "cli/parser.h"
#include "kernel/feature.h"

/* The first option in use that this command would have to obey and cannot. */
static int refuse_not_yet(const struct opts_parser *parser, struct err *err)
{
	unsigned int command = CMD_BIT(command_id(parser->opts->command));

	for (size_t i = 0; i < option_count; i++) {
		const struct option_desc *desc = &option_table[i];
		const struct option_use *use = &parser->uses[i];

		if (desc->status != OPT_NOT_YET || !use->where || !(desc->commands & command))
			continue;
		if (desc->harmless && use->arg && !strcmp(desc->harmless, use->arg))
			continue;
		return err_set(err, -EOPNOTSUPP, "%s: not supported yet: %s", use->where,
			       desc->note);
	}
	return 0;
}

/* @option names who gives the descriptor. */
static int check_fd_open(int fd, const char *option, struct err *err)
{
	if (fcntl(fd, F_GETFD) < 0)
		return err_set(err, -EBADF, "%s: descriptor %d is not open", option, fd);
	return 0;
}

/* As criu, whatever the command is. */
static int refuse_misplaced(const struct opts *opts, struct err *err)
{
	if (opts->restore_sibling && !opts->restore_detached)
		return err_set(err, -EINVAL,
			       "--restore-sibling makes sense with --restore-detached only");
	if (opts->inherit_fds.n && command_id(opts->command) != CMD_RESTORE)
		return err_set(err, -EINVAL, "--inherit-fd is for restore only");
	return 0;
}

static int validate_restore(const struct opts *opts, struct err *err)
{
	array_each(const struct opts_inherit_fd, inherit, &opts->inherit_fds) {
		int ret = check_fd_open(inherit->fd, "--inherit-fd", err);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int validate_check(const struct opts *opts, struct err *err)
{
	if (opts->feature && strcmp(opts->feature, "list") && !feature_find(opts->feature))
		return err_set(err, -EINVAL,
			       "--feature: unknown feature '%s', see crib check --feature list",
			       opts->feature);
	return 0;
}

/* The proc engine asks from inside what /proc does not tell. */
static int validate_no_parasite(const struct opts *opts, struct err *err)
{
	static const char *const untold[OPTS_ENGINE_GROUPS] = {
		[OPTS_ENGINE_TASKS] = "tasks=proc only a system call in the tree tells signal "
				      "actions and timers",
		[OPTS_ENGINE_THREADS] = "threads=proc only a system call in each thread "
					"tells alternate stacks and securebits",
		[OPTS_ENGINE_MM] = "mm=proc only a system call in the tree tells the end of the "
				   "heap",
	};

	for (size_t i = 0; opts->no_parasite && i < OPTS_ENGINE_GROUPS; i++)
		if (opts->engine[i] == OPTS_ENGINE_PROC && untold[i])
			return err_set(err, -EINVAL,
				       "--no-parasite: with --engine %s; use --engine bpf",
				       untold[i]);
	return 0;
}

static int validate_inspect(const struct opts_parser *parser, struct err *err)
{
	struct opts *opts = parser->opts;

	if (opts->operands.n && opts->tree_pid)
		return err_set(err, -EINVAL, "inspect: either a directory or --tree PID, not both");
	if (opts->operands.n)
		opts->images_dir = opts->operands.v[0];
	return 0;
}

int opts_validate(struct opts_parser *parser, struct err *err)
{
	struct opts *opts = parser->opts;
	int ret;

	if (!opts->command)
		return err_set(err, -EINVAL, "no command is given, see crib --help");
	if (!opts->command->help)
		return err_set(err, -EOPNOTSUPP, "command %s: %s", opts->command->name,
			       opts->command->refusal);
	ret = refuse_misplaced(opts, err);
	if (ret == 0)
		ret = refuse_not_yet(parser, err);
	if (ret == 0 && opts->status_fd >= 0)
		ret = check_fd_open(opts->status_fd, "--status-fd", err);
	if (ret == 0)
		ret = validate_no_parasite(opts, err);
	if (ret < 0)
		return ret;
	switch (command_id(opts->command)) {
	case CMD_DUMP:
		if (!opts->tree_pid)
			ret = err_set(err, -EINVAL, "dump: which process? give it by --tree PID");
		break;
	case CMD_RESTORE: ret = validate_restore(opts, err); break;
	case CMD_CHECK: ret = validate_check(opts, err); break;
	case CMD_INSPECT: ret = validate_inspect(parser, err); break;
	default: break;
	}
	if (!opts->work_dir)
		opts->work_dir = opts->images_dir;
	return ret;
}
