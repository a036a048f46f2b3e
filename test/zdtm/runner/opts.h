/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test program tells the runner about itself: the comments of its source (lib/zdtm.h lists
 * them), which the build copies to NAME.opts.
 */
#ifndef CRIB_ZDTM_RUNNER_OPTS_H
#define CRIB_ZDTM_RUNNER_OPTS_H

#include <stdbool.h>

enum mode {
	MODE_PLAIN, /* dump, which ends the tree, and restore */
	MODE_LEAVE, /* dump --leave-running; the tree itself goes on */
	MODE_PIDNS, /* dump, and restore in a fresh pid and mount namespace */
	MODE_AGAIN, /* dump and restore, and what was restored once more */
	MODE_NO_CR, /* the program alone */
	MODE_N,
};

/* Indexed by enum mode. */
extern const char *const mode_names[MODE_N];

enum start {
	START_NULL, /* descriptors 0 to 2 on /dev/null, session leader */
	START_TTY,  /* session leader with a controlling terminal */
	START_JOB,  /* job in the foreground of a terminal, as a shell starts it */
};

enum { OPTS_WORDS = 32 };

struct test_opts {
	char *text;             /* the file; all words point into it */
	char *dump[OPTS_WORDS]; /* NULL-terminated, as the others */
	char *restore[OPTS_WORDS];
	char *varies[OPTS_WORDS];
	char *refused;      /* NULL: the dump has to succeed */
	char *engine;       /* the only one that can know it; NULL: every engine */
	unsigned int modes; /* mask of 1 << enum mode */
	enum start start;
	int signal;
	unsigned int timeout_ms;
};

/* Reads the file at @path; dies on a line that it does not understand. */
void test_opts_load(struct test_opts *opts, const char *path);
void test_opts_fini(struct test_opts *opts);

/* Whether @key is among the test's `varies:`. */
bool test_opts_varies(const struct test_opts *opts, const char *key);

/* The mode called @name, or MODE_N. */
enum mode mode_from_name(const char *name);

#endif
