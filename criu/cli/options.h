/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one table of options. Argument parsing, configuration files, --help, the man page and the
 * bash completion are made from it: an option exists once it stands there.
 */
#ifndef CRIB_CLI_OPTIONS_H
#define CRIB_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cli/opts.h"

/* What a value becomes, and of which type the field at option_desc.offset is. */
enum option_type {
	OPT_NONE,   /* no field */
	OPT_BOOL,   /* bool */
	OPT_STRING, /* const char * */
	OPT_UINT,   /* uint32_t */
	OPT_SIZE,   /* uint64_t, with suffix K, M or G */
	OPT_FD,     /* int */
	OPT_PID,    /* pid_t */
	OPT_ENUM,   /* int, the index of the value in option_desc.values */
	OPT_CALL,   /* whatever option_desc.set does */
};

enum option_status {
	OPT_WORKS,
	OPT_NO_EFFECT, /* known from criu and accepted; the note says why it changes nothing */
	OPT_NOT_YET,   /* known from criu and refused; the note says what is missing */
};

/* Headings of --help and of the man page, in their order. */
enum option_group {
	GROUP_GENERIC,
	GROUP_OUTSIDE,
	GROUP_CHECKS,
	GROUP_ENGINE,
	GROUP_LOGGING,
	GROUP_CHECK,
	GROUP_CONFIG,
	GROUP_OTHER,
	GROUP_MAX,
};

struct option_desc {
	const char *name;
	char letter;          /* of the short form, 0: none */
	bool negatable;       /* there is a --no-NAME */
	bool own;             /* not criu's: never abbreviated, so criu's abbreviations stay good */
	const char *arg_name; /* NULL: takes no argument; "[X]": an optional one */
	enum option_type type;
	size_t offset; /* in struct opts */
	/* For OPT_CALL. @arg is NULL when an optional argument was left out. 0 or -errno. */
	int (*set)(struct opts *opts, const char *arg, struct err *err);
	const char *values;    /* all allowed values, blank-separated; or what to complete: "@file",
				* "@dir", "@pid", "@feature"; NULL: anything */
	unsigned int commands; /* bits: 1 << enum command_id */
	enum option_group group;
	enum option_status status;
	const char *harmless; /* OPT_NOT_YET: the one value that is accepted all the same */
	const char *help;     /* OPT_WORKS: what it does */
	const char *note;     /* otherwise: why it is without effect, or what is missing */
};

extern const struct option_desc option_table[];
extern const size_t option_count;
extern const char *const option_group_titles[GROUP_MAX];

/* True when the argument may be left out ("--name=value" or "-nvalue" give one). */
bool option_arg_is_optional(const struct option_desc *desc);

/* True for what decides how configuration files are read: it cannot stand in one itself. */
bool option_is_for_argv(const struct option_desc *desc);

/*
 * Finds the option that @name (of @len bytes, without dashes) stands for: its full name, or, when
 * @abbreviated, the unambiguous beginning of one of criu's. "no-NAME" sets *@ret_negated.
 * NULL when there is none, or several, which @err then lists.
 */
const struct option_desc *option_find(const char *name, size_t len, bool abbreviated,
				      bool *ret_negated, struct err *err);
const struct option_desc *option_find_letter(char letter);

/* True when @word is one of the blank-separated words of @values; its index in *@ret_index. */
bool option_value_index(const char *values, const char *word, int *ret_index);

/* Setters of OPT_CALL rows, see value.c. */
int value_set_verbosity(struct opts *opts, const char *arg, struct err *err);
int value_set_leave_running(struct opts *opts, const char *arg, struct err *err);
int value_set_leave_stopped(struct opts *opts, const char *arg, struct err *err);
int value_set_close(struct opts *opts, const char *arg, struct err *err);
int value_set_action_script(struct opts *opts, const char *arg, struct err *err);
int value_set_external(struct opts *opts, const char *arg, struct err *err);
int value_set_inherit_fd(struct opts *opts, const char *arg, struct err *err);
int value_set_cpu_cap(struct opts *opts, const char *arg, struct err *err);
int value_set_engine(struct opts *opts, const char *arg, struct err *err);
int value_set_check_all(struct opts *opts, const char *arg, struct err *err);

/* Puts @arg (or, for a negated flag, its absence) into the field of @desc. 0 or -errno. */
int value_set(struct opts *opts, const struct option_desc *desc, bool negated, const char *arg,
	      struct err *err);

#endif /* CRIB_CLI_OPTIONS_H */
