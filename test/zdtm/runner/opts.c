/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads NAME.opts: lines of `key: words`.
 */
#include "opts.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

const char *const mode_names[MODE_N] = {
	[MODE_PLAIN] = "plain", [MODE_LEAVE] = "leave-running", [MODE_PIDNS] = "pidns",
	[MODE_AGAIN] = "again", [MODE_NO_CR] = "no-cr",
};

enum mode mode_from_name(const char *name)
{
	for (unsigned int i = 0; i < MODE_N; i++)
		if (!strcmp(mode_names[i], name))
			return i;
	return MODE_N;
}

static void set_modes(struct test_opts *opts, char *value, const char *path)
{
	char *words[OPTS_WORDS];
	split_words(value, words, OPTS_WORDS);
	opts->modes = 0;
	for (char **word = words; *word; word++) {
		enum mode mode = mode_from_name(*word);
		if (mode == MODE_N || mode == MODE_NO_CR)
			die("%s: unknown mode '%s'", path, *word);
		opts->modes |= 1U << mode;
	}
}

static void set_need(struct test_opts *opts, const char *value, const char *path)
{
	if (!strcmp(value, "tty"))
		opts->start = START_TTY;
	else if (!strcmp(value, "shell-job"))
		opts->start = START_JOB;
	else
		die("%s: unknown need '%s'", path, value);
}

static void set_signal(struct test_opts *opts, const char *value, const char *path)
{
	if (!strcmp(value, "CONT"))
		opts->signal = SIGCONT;
	else if (!strcmp(value, "USR1"))
		opts->signal = SIGUSR1;
	else if (!strcmp(value, "USR2"))
		opts->signal = SIGUSR2;
	else
		die("%s: unknown signal '%s'", path, value);
}

static void set_option(struct test_opts *opts, const char *key, char *value, const char *path)
{
	unsigned int seconds;
	if (!strcmp(key, "crib-dump"))
		split_words(value, opts->dump, OPTS_WORDS);
	else if (!strcmp(key, "crib-restore"))
		split_words(value, opts->restore, OPTS_WORDS);
	else if (!strcmp(key, "varies"))
		split_words(value, opts->varies, OPTS_WORDS);
	else if (!strcmp(key, "refused"))
		opts->refused = value;
	else if (!strcmp(key, "engine"))
		opts->engine = value;
	else if (!strcmp(key, "modes"))
		set_modes(opts, value, path);
	else if (!strcmp(key, "needs"))
		set_need(opts, value, path);
	else if (!strcmp(key, "signal"))
		set_signal(opts, value, path);
	else if (!strcmp(key, "timeout") && parse_number(value, &seconds))
		opts->timeout_ms = seconds * 1000;
	else
		die("%s: cannot understand '%s: %s'", path, key, value);
}

void test_opts_load(struct test_opts *opts, const char *path)
{
	*opts = (struct test_opts){
		.text = slurp(path),
		.modes = 1U << MODE_PLAIN | 1U << MODE_LEAVE | 1U << MODE_PIDNS | 1U << MODE_AGAIN,
		.start = START_NULL,
		.signal = SIGTERM,
		.timeout_ms = 30000,
	};
	if (!opts->text)
		die("cannot read '%s'", path);
	char *state;
	for (char *line = strtok_r(opts->text, "\n", &state); line;
	     line = strtok_r(NULL, "\n", &state)) {
		char *value = strstr(line, ": ");
		if (!value)
			die("%s: no value in '%s'", path, line);
		*value = 0;
		set_option(opts, line, value + 2, path);
	}
	if (opts->refused) /* there is nothing to restore */
		opts->modes &= 1U << MODE_PLAIN;
}

void test_opts_fini(struct test_opts *opts)
{
	free(opts->text);
}

bool test_opts_varies(const struct test_opts *opts, const char *key)
{
	for (char *const *word = opts->varies; *word; word++)
		if (!strcmp(*word, key))
			return true;
	return false;
}
