// SPDX-License-Identifier: GPL-2.0-only
/*
 * --help from the tables, see usage.h.
 */
#include <string.h>

#include "cli/options.h"
#include "cli/usage.h"

enum { HELP_COLUMN = 28, HELP_WIDTH = 79 };

/* Prints @text from @column on, wrapped at blanks, each further line indented to @indent. */
static void print_wrapped(FILE *out, const char *text, int column, int indent)
{
	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column + 1 + len > HELP_WIDTH && column > indent) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else if (column > indent) {
			fputc(' ', out);
			column++;
		}
		fprintf(out, "%.*s", len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void print_option(FILE *out, const struct option_desc *desc)
{
	bool optional = option_arg_is_optional(desc);
	const char *before = !desc->arg_name ? "" : optional ? "[=" : " ";
	const char *arg = !desc->arg_name ? "" : desc->arg_name + optional;
	char letter[8] = "", left[80];

	if (desc->letter)
		snprintf(letter, sizeof(letter), "-%c,", desc->letter);
	int len = snprintf(left, sizeof(left), "  %-3s --%s%s%s", letter, desc->name, before, arg);
	fputs(left, out);
	if (len + 2 > HELP_COLUMN) {
		fputc('\n', out);
		len = 0;
	}
	fprintf(out, "%*s", HELP_COLUMN - len, "");
	print_wrapped(out, desc->help, HELP_COLUMN, HELP_COLUMN);
}

/* The names of all options of one status, then nothing when there is none. */
static void print_names(FILE *out, enum option_status status, unsigned int commands,
			const char *title)
{
	int column = 0;

	for (size_t i = 0; i < option_count; i++) {
		const struct option_desc *desc = &option_table[i];
		int len = (int)strlen(desc->name) + 3;

		if (desc->status != status || !(desc->commands & commands))
			continue;
		if (!column)
			fprintf(out, "\n%s:\n ", title);
		if (column + len > HELP_WIDTH - 2) {
			fprintf(out, "\n ");
			column = 0;
		}
		fprintf(out, " --%s", desc->name);
		column += len;
	}
	if (column)
		fputc('\n', out);
}

static void print_commands(FILE *out)
{
	fputs("\nCommands:\n", out);
	for (size_t i = 0; i < CMD_MAX; i++) {
		const struct command *command = &command_table[i];

		if (command->help)
			fprintf(out, "  %-10s%s\n", command->name, command->help);
	}
	fputs("  Known from criu, not supported:", out);
	for (size_t i = 0; i < CMD_MAX; i++) {
		if (!command_table[i].help)
			fprintf(out, "%s %s", i == CMD_DEDUP ? "\n   " : "", command_table[i].name);
	}
	fputc('\n', out);
}

static void print_synopsis(FILE *out, const struct command *command)
{
	if (command) {
		fprintf(out, "Usage: crib %s [OPTION..]%s%s\n\n%c%s.\n", command->name,
			command->operands ? " " : "", command->operands ? command->operands : "",
			command->help[0] - 'a' + 'A', command->help + 1);
		return;
	}
	fputs("Usage:\n"
	      "  crib dump -t PID [-D DIR] [OPTION..]\n"
	      "  crib restore [-D DIR] [OPTION..]\n"
	      "  crib check [--feature NAME]\n"
	      "  crib inspect DIR\n"
	      "  crib inspect -t PID\n"
	      "  crib COMMAND --help\n",
	      out);
}

void usage_print(FILE *out, const struct command *command)
{
	if (command && !command->help)
		command = NULL;
	unsigned int commands = command ? CMD_BIT(command_id(command)) : CMD_ALL;

	print_synopsis(out, command);
	if (!command)
		print_commands(out);
	for (int group = 0; group < GROUP_MAX; group++) {
		bool titled = false;

		for (size_t i = 0; i < option_count; i++) {
			const struct option_desc *desc = &option_table[i];

			if ((int)desc->group != group || desc->status != OPT_WORKS ||
			    !(desc->commands & commands))
				continue;
			if (!titled)
				fprintf(out, "\n%s:\n", option_group_titles[group]);
			titled = true;
			print_option(out, desc);
		}
	}
	print_names(out, OPT_NOT_YET, commands, "Known from criu, not supported yet");
	print_names(out, OPT_NO_EFFECT, commands, "Known from criu, accepted, without effect here");
	if (!command)
		fputs("\nMost flags can be taken back by --no-NAME. Long options may be "
		      "abbreviated.\n",
		      out);
}
