// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the text of an option's argument to the field of struct opts.
 */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "cli/options.h"

int value_set_verbosity(struct opts *opts, const char *arg, struct err *err)
{
	uint64_t level;

	if (!arg) {
		level = opts->verbosity + 1;
	} else if (arg[0] == 'v') {
		/* "-vvv" comes as "-v" with "vv"; criu counts what follows the v's too */
		if (arg[strspn(arg, "v0123456789")])
			return err_set(err, -EINVAL, "'%s' is not a level, use -v0 to -v4", arg);
		level = opts->verbosity + strlen(arg) + 1;
	} else if (parse_u64(arg, UINT32_MAX, &level) < 0) {
		return err_set(err, -EINVAL, "'%s' is not a level, use 0 to 4", arg);
	}
	opts->verbosity = level < OPTS_VERBOSITY_MAX ? (uint32_t)level : OPTS_VERBOSITY_MAX;
	return 0;
}

/* Of --leave-running and --leave-stopped the last one counts, as in criu. */
int value_set_leave_running(struct opts *opts, const char *arg, struct err *err)
{
	opts->leave_running = true;
	opts->leave_stopped = false;
	return 0;
}

int value_set_leave_stopped(struct opts *opts, const char *arg, struct err *err)
{
	opts->leave_stopped = true;
	opts->leave_running = false;
	return 0;
}

static int parse_fd(const char *arg, int *ret_fd, struct err *err)
{
	int32_t fd;

	if (parse_i32(arg, 0, INT32_MAX, &fd) < 0)
		return err_set(err, -EINVAL, "'%s' is not a descriptor number", arg);
	*ret_fd = fd;
	return 0;
}

int value_set_close(struct opts *opts, const char *arg, struct err *err)
{
	int fd = -1;
	int ret = parse_fd(arg, &fd, err);

	if (ret < 0)
		return ret;
	*array_push(&opts->arena, &opts->close_fds) = fd;
	return 0;
}

int value_set_action_script(struct opts *opts, const char *arg, struct err *err)
{
	if (!*arg)
		return err_set(err, -EINVAL, "the name is empty");
	*array_push(&opts->arena, &opts->action_scripts) = arg;
	return 0;
}

int value_set_external(struct opts *opts, const char *arg, struct err *err)
{
	const char *open = strchr(arg, '[');
	const char *close = open ? strchr(open, ']') : NULL;

	/* an id may hold brackets: it ends where the text ends or a value follows */
	while (close && close[1] != '\0' && close[1] != ':')
		close = strchr(close + 1, ']');
	if (!close || open == arg)
		return err_set(err, -EINVAL, "'%s' is not TYPE[ID] or TYPE[ID]:VALUE", arg);
	struct opts_external *ext = array_push(&opts->arena, &opts->externals);
	ext->type = arena_strndup(&opts->arena, arg, (size_t)(open - arg));
	ext->id = arena_strndup(&opts->arena, open + 1, (size_t)(close - open - 1));
	ext->value = close[1] ? close + 2 : NULL;
	return 0;
}

int value_set_inherit_fd(struct opts *opts, const char *arg, struct err *err)
{
	const char *pos = arg;
	uint64_t fd;

	if (!scan_str(&pos, "fd[") || !scan_u64(&pos, &fd) || fd > INT32_MAX ||
	    !scan_str(&pos, "]:") || !*pos)
		return err_set(err, -EINVAL, "'%s' is not fd[NUMBER]:RESOURCE", arg);
	*array_push(&opts->arena, &opts->inherit_fds) = (struct opts_inherit_fd){
		.fd = (int)fd,
		.resource = pos,
	};
	return 0;
}

/*
 * Copies the next item of a comma-separated list; false at its end. What is longer than any name
 * is cut, and so matches none.
 */
static bool next_item(const char **pos, char *item, size_t size)
{
	if (!*pos)
		return false;
	size_t len = strcspn(*pos, ",");
	size_t copy = len < size - 1 ? len : size - 1;

	memcpy(item, *pos, copy);
	item[copy] = '\0';
	*pos = (*pos)[len] ? *pos + len + 1 : NULL;
	return true;
}

int value_set_cpu_cap(struct opts *opts, const char *arg, struct err *err)
{
	static const struct {
		const char *name;
		uint32_t bits;
	} caps[] = { { "all", OPTS_CPU_ALL },
		     { "cpu", OPTS_CPU_CPU },
		     { "fpu", OPTS_CPU_FPU },
		     { "ins", OPTS_CPU_INS },
		     { "none", 0 } };
	char item[16];
	uint32_t bits = arg && arg[0] == '^' ? OPTS_CPU_DEFAULT : 0;

	opts->cpu_cap_given = true;
	if (!arg || !*arg) {
		opts->cpu_cap = OPTS_CPU_ALL;
		return 0;
	}
	while (next_item(&arg, item, sizeof(item))) {
		const char *name = item[0] == '^' ? item + 1 : item;
		size_t i = 0;

		while (i < ARRAY_SIZE(caps) && strcmp(caps[i].name, name))
			i++;
		if (i == ARRAY_SIZE(caps))
			return err_set(err, -EINVAL, "'%s' is none of all, cpu, fpu, ins, none",
				       name);
		if (name != item)
			bits &= ~caps[i].bits;
		else if (caps[i].bits)
			bits |= caps[i].bits;
		else
			bits = 0;
	}
	opts->cpu_cap = bits;
	return 0;
}

int value_set_engine(struct opts *opts, const char *arg, struct err *err)
{
	static const char engines[] = "auto bpf proc", groups[] = "tasks threads mm fds";
	char item[24];

	while (next_item(&arg, item, sizeof(item))) {
		char *equals = strchr(item, '=');
		const char *name = equals ? equals + 1 : item;
		int engine, group;

		if (!option_value_index(engines, name, &engine))
			return err_set(err, -EINVAL, "engine '%s' is none of auto, bpf, proc",
				       name);
		if (!equals) {
			memset(opts->engine, engine, sizeof(opts->engine));
			continue;
		}
		*equals = '\0';
		if (!option_value_index(groups, item, &group))
			return err_set(err, -EINVAL,
				       "kind of record '%s' is none of tasks, threads, mm, fds",
				       item);
		opts->engine[group] = (uint8_t)engine;
	}
	opts->engine_given = true;
	return 0;
}

int value_set_check_all(struct opts *opts, const char *arg, struct err *err)
{
	opts->check_extra = true;
	opts->check_experimental = true;
	return 0;
}

/* @values with commas, for a message. */
static void describe_values(const char *values, char *buf, size_t size)
{
	size_t used = 0;

	for (; *values && used + 3 < size; values++) {
		if (*values == ' ')
			buf[used++] = ',';
		buf[used++] = *values;
	}
	buf[used] = '\0';
}

/* Refuses what is not in the list of all values. */
static int check_value(const struct option_desc *desc, const char *arg, int *ret_index,
		       struct err *err)
{
	char list[200];

	if (!desc->values || desc->values[0] == '@' || !arg)
		return 0;
	if (option_value_index(desc->values, arg, ret_index))
		return 0;
	describe_values(desc->values, list, sizeof(list));
	return err_set(err, -EINVAL, "'%s' is none of %s", arg, list);
}

int value_set(struct opts *opts, const struct option_desc *desc, bool negated, const char *arg,
	      struct err *err)
{
	void *field = (char *)opts + desc->offset;
	uint64_t number;
	int ret = 0;

	switch (desc->type) {
	case OPT_NONE: return check_value(desc, arg, &ret, err);
	case OPT_ENUM: return check_value(desc, arg, field, err);
	case OPT_BOOL: *(bool *)field = !negated; return 0;
	case OPT_STRING:
		if (!*arg)
			return err_set(err, -EINVAL, "the argument is empty");
		*(const char **)field = arg;
		return 0;
	case OPT_UINT:
		if (parse_u64(arg, INT32_MAX, &number) < 0)
			return err_set(err, -EINVAL, "'%s' is not a number from 0 to %d", arg,
				       INT32_MAX);
		*(uint32_t *)field = (uint32_t)number;
		return 0;
	case OPT_SIZE:
		if (parse_size(arg, INT64_MAX, field) < 0)
			return err_set(err, -EINVAL,
				       "'%s' is not a size, give bytes or a number with K, M or G",
				       arg);
		return 0;
	case OPT_FD: return parse_fd(arg, field, err);
	case OPT_PID:
		if (parse_i32(arg, 1, INT32_MAX, field) < 0)
			return err_set(err, -EINVAL, "'%s' is not a process id", arg);
		return 0;
	case OPT_CALL: return desc->set(opts, arg, err);
	}
	return err_set(err, -EINVAL, "unknown type of option");
}
