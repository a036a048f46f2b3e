// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration files: one option a line, without dashes, with its argument after a blank or "=",
 * in double quotes if need be; "#" starts a comment. The syntax is criu's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/parse.h"
#include "cli/parser.h"

struct config_line {
	const char *name; /* NULL: nothing on this line */
	const char *arg;
};

/* Cuts one word off *@pos, up to a blank, a "#" or one of @stop. NULL: no word is there. */
static char *take_word(struct arena *arena, char **pos, const char *stop)
{
	size_t len = strcspn(*pos, stop);

	if (!len)
		return NULL;
	char *word = arena_strndup(arena, *pos, len);
	*pos += len;
	return word;
}

/* The text between double quotes, where \" is a quote. NULL: the closing one is missing. */
static char *take_quoted(struct arena *arena, char **pos)
{
	char *text = arena_alloc(arena, strlen(*pos) + 1);
	size_t len = 0;
	char *p = *pos + 1;

	for (; *p && *p != '"'; p++) {
		if (p[0] == '\\' && p[1] == '"')
			p++;
		text[len++] = *p;
	}
	if (!*p)
		return NULL;
	*pos = p + 1;
	return text;
}

static void skip_blanks(char **pos)
{
	*pos += strspn(*pos, " \t\r");
}

/* @text is one line without its newline. */
static int parse_line(struct arena *arena, char *text, struct config_line *ret_line,
		      struct err *err)
{
	char *pos = text;

	*ret_line = (struct config_line){ 0 };
	skip_blanks(&pos);
	ret_line->name = take_word(arena, &pos, " \t\r=#");
	if (!ret_line->name)
		return *pos && *pos != '#' ? err_set(err, -EINVAL, "no option is named") : 0;
	skip_blanks(&pos);
	if (*pos == '=') {
		pos++;
		skip_blanks(&pos);
	}
	if (*pos == '"') {
		ret_line->arg = take_quoted(arena, &pos);
		if (!ret_line->arg)
			return err_set(err, -EINVAL, "%s: a closing \" is missing", ret_line->name);
	} else {
		ret_line->arg = take_word(arena, &pos, " \t\r#");
	}
	skip_blanks(&pos);
	if (*pos && *pos != '#')
		return err_set(err, -EINVAL, "%s: put an argument with blanks into double quotes",
			       ret_line->name);
	return 0;
}

static int check_arg(const struct option_desc *desc, bool negated, const char *arg, struct err *err)
{
	if (arg && (negated || !desc->arg_name))
		return err_set(err, -EINVAL, "takes no argument");
	if (!arg && desc->arg_name && !option_arg_is_optional(desc))
		return err_set(err, -EINVAL, "needs an argument: %s", desc->arg_name);
	if (option_is_for_argv(desc))
		return err_set(err, -EINVAL, "has no effect in a file, use the command line");
	return 0;
}

static int apply_line(struct opts_parser *parser, const struct config_line *line, const char *path,
		      unsigned int number, struct err *err)
{
	const char *where =
		arena_printf(&parser->opts->arena, "%s:%u: %s", path, number, line->name);
	bool negated;

	if (line->name[0] == '-')
		return err_set(err, -EINVAL, "%s: leave out the dashes", where);
	const struct option_desc *desc =
		option_find(line->name, strlen(line->name), true, &negated, err);
	if (!desc)
		return err_wrap(err, -EINVAL, "%s:%u", path, number);
	int ret = check_arg(desc, negated, line->arg, err);
	if (ret < 0)
		return err_wrap(err, ret, "%s", where);
	return opts_parser_set(parser, desc, negated, line->arg, where, err);
}

int config_read(struct opts_parser *parser, const char *path, struct err *err)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	int ret = io_read_file(AT_FDCWD, path, &text);

	if (ret < 0)
		return err_ret(err, ret, "read configuration file '%s'", path);
	char *line = text.data;
	for (unsigned int number = 1; line; number++) {
		char *newline = strchr(line, '\n');
		struct config_line parsed;

		if (newline)
			*newline = '\0';
		ret = parse_line(&parser->opts->arena, line, &parsed, err);
		if (ret < 0)
			return err_wrap(err, ret, "%s:%u", path, number);
		if (parsed.name)
			ret = apply_line(parser, &parsed, path, number, err);
		if (ret < 0)
			return ret;
		line = newline ? newline + 1 : NULL;
	}
	return 0;
}
