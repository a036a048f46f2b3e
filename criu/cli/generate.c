// SPDX-License-Identifier: GPL-2.0-only
/*
 * The man page's sections and the bash completion from the tables, see usage.h.
 */
#include <errno.h>
#include <string.h>

#include "cli/options.h"
#include "cli/usage.h"
#include "kernel/feature.h"
#include "target/script.h"

/* Text for roff: a "-" is what one types, and no line begins with a control character. */
static void put_roff(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
	}
}

static void put_man_commands(FILE *out)
{
	for (size_t i = 0; i < CMD_MAX; i++) {
		const struct command *command = &command_table[i];

		if (!command->help)
			continue;
		fprintf(out, ".TP\n.B %s", command->name);
		if (command->operands)
			fprintf(out, " \\fR[\\fI%s\\fR]", command->operands);
		fputc('\n', out);
		put_roff(out, command->help);
		fputs(".\n", out);
	}
	fputs(".PP\nThese commands of\n.BR criu (8)\nare known and end with one line that says "
	      "why:\n",
	      out);
	const char *separator = "";
	for (size_t i = 0; i < CMD_MAX; i++) {
		if (command_table[i].help)
			continue;
		fprintf(out, "%s\\fB", separator);
		put_roff(out, command_table[i].name);
		fputs("\\fR", out);
		separator = ",\n";
	}
	fputs(".\n", out);
}

/* "-t, --tree PID" as the tag of a paragraph. */
static void put_man_tag(FILE *out, const struct option_desc *desc)
{
	fputs(".TP\n", out);
	if (desc->letter)
		fprintf(out, "\\fB\\-%c\\fR, ", desc->letter);
	fputs("\\fB\\-\\-", out);
	put_roff(out, desc->name);
	fputs("\\fR", out);
	if (desc->arg_name && option_arg_is_optional(desc))
		fprintf(out, "[=\\fI%.*s\\fR]", (int)strlen(desc->arg_name) - 2,
			desc->arg_name + 1);
	else if (desc->arg_name)
		fprintf(out, " \\fI%s\\fR", desc->arg_name);
	fputc('\n', out);
}

/* "(dump, restore)", the commands that look at an option. */
static void put_man_commands_of(FILE *out, const struct option_desc *desc)
{
	const char *separator = "(";

	for (size_t i = 0; i < CMD_MAX; i++) {
		if (!command_table[i].help || !(desc->commands & CMD_BIT(i)))
			continue;
		fprintf(out, "%s%s", separator, command_table[i].name);
		separator = ", ";
	}
	fputs(*separator == ',' ? ")\n" : "", out);
}

static void put_man_known(FILE *out, enum option_status status)
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_desc *desc = &option_table[i];

		if (desc->status != status)
			continue;
		put_man_tag(out, desc);
		put_roff(out, desc->note);
		if (desc->harmless) {
			fputs("; \\fB", out);
			put_roff(out, desc->harmless);
			fputs("\\fR is accepted", out);
		}
		fputc('\n', out);
	}
}

static void put_man_options(FILE *out)
{
	for (int group = 0; group < GROUP_MAX; group++) {
		fprintf(out, ".SS \"%s\"\n", option_group_titles[group]);
		for (size_t i = 0; i < option_count; i++) {
			const struct option_desc *desc = &option_table[i];

			if ((int)desc->group != group || desc->status != OPT_WORKS)
				continue;
			put_man_tag(out, desc);
			put_roff(out, desc->help);
			fputs(".\n", out);
			if ((desc->commands & CMD_ALL) != CMD_ALL)
				put_man_commands_of(out, desc);
		}
	}
	fputs(".SS \"Known from criu, refused before any effect\"\n", out);
	put_man_known(out, OPT_NOT_YET);
	fputs(".SS \"Known from criu, accepted without effect\"\n", out);
	put_man_known(out, OPT_NO_EFFECT);
}

static void put_man_features(FILE *out)
{
	static const char *const classes[] = {
		[FEATURE_REQUIRED] = "always checked",
		[FEATURE_EXTRA] = "\\-\\-extra",
		[FEATURE_EXPERIMENTAL] = "\\-\\-experimental",
		[FEATURE_NAMED] = "by name only",
	};

	for (size_t i = 0; i < feature_count; i++) {
		const struct feature *feature = &feature_table[i];

		fputs(".TP\n.B ", out);
		put_roff(out, feature->name);
		fputc('\n', out);
		put_roff(out, feature->needed_for);
		fprintf(out, " (%s)\n", classes[feature->class]);
	}
}

static void put_man_hooks(FILE *out)
{
	for (size_t i = 0; i < script_hook_count; i++) {
		fputs(".TP\n.B ", out);
		put_roff(out, script_hooks[i].name);
		fputc('\n', out);
		put_roff(out, script_hooks[i].when);
		fputc('\n', out);
	}
}

/* The words that may follow a command. */
static void put_bash_words(FILE *out)
{
	fputs("_crib_words()\n{\n\tcase $1 in\n\t'') echo '", out);
	for (size_t i = 0; i < CMD_MAX; i++) {
		if (command_table[i].help)
			fprintf(out, "%s ", command_table[i].name);
	}
	fputs("--help --version' ;;\n", out);
	for (size_t i = 0; i < CMD_MAX; i++) {
		if (!command_table[i].help)
			continue;
		fprintf(out, "\t%s) echo '", command_table[i].name);
		for (size_t k = 0; k < option_count; k++) {
			const struct option_desc *desc = &option_table[k];

			if (desc->status == OPT_WORKS && (desc->commands & CMD_BIT(i)))
				fprintf(out, "--%s ", desc->name);
		}
		fputs("' ;;\n", out);
	}
	fputs("\tesac\n}\n", out);
}

/* What may be the argument of an option: words, or "@KIND"; "@any" when nobody knows. */
static void put_bash_values(FILE *out)
{
	fputs("_crib_values()\n{\n\tcase $1 in\n", out);
	for (size_t i = 0; i < option_count; i++) {
		const struct option_desc *desc = &option_table[i];

		if (!desc->arg_name)
			continue;
		fputc('\t', out);
		if (desc->letter)
			fprintf(out, "-%c|", desc->letter);
		fprintf(out, "--%s) echo '", desc->name);
		if (option_arg_is_optional(desc))
			fputs("@optional ", out);
		if (desc->values && !strcmp(desc->values, "@feature")) {
			fputs("list", out);
			for (size_t k = 0; k < feature_count; k++)
				fprintf(out, " %s", feature_table[k].name);
		} else {
			fputs(desc->values ? desc->values : "@any", out);
		}
		fputs("' ;;\n", out);
	}
	fputs("\tesac\n}\n", out);
}

static void put_bash(FILE *out)
{
	put_bash_words(out);
	fputc('\n', out);
	put_bash_values(out);
}

int usage_generate(FILE *in, FILE *out, struct err *err)
{
	static const struct {
		const char *line;
		void (*put)(FILE *out);
	} parts[] = {
		{ "@COMMANDS@\n", put_man_commands }, { "@OPTIONS@\n", put_man_options },
		{ "@FEATURES@\n", put_man_features }, { "@HOOKS@\n", put_man_hooks },
		{ "@COMPLETION@\n", put_bash },
	};
	char line[1024];

	while (fgets(line, sizeof(line), in)) {
		size_t i = 0;

		while (i < ARRAY_SIZE(parts) && strcmp(parts[i].line, line))
			i++;
		if (i < ARRAY_SIZE(parts))
			parts[i].put(out);
		else if (line[0] == '@')
			return err_set(err, -EINVAL, "template: unknown line '%s'", line);
		else
			fputs(line, out);
	}
	if (fflush(out) || ferror(out) || ferror(in))
		return err_set(err, -EIO, "template: read or write failed");
	return 0;
}
