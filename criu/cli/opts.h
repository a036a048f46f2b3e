/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the user asked for: plain data, filled once from configuration files and the command line
 * (or a service request), then passed around as const struct opts *.
 */
#ifndef CRIB_CLI_OPTS_H
#define CRIB_CLI_OPTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/array.h"

struct command;

/* criu's numbering of -v; the values are those of enum log_level. */
enum { OPTS_VERBOSITY_DEFAULT = 2, OPTS_VERBOSITY_MAX = 4 };

enum { OPTS_TIMEOUT_UNSET = 0x7fffffff };

enum opts_engine { OPTS_ENGINE_AUTO, OPTS_ENGINE_BPF, OPTS_ENGINE_PROC };

/* Indices of opts.engine, in the order of enum rec_group. */
enum opts_engine_group {
	OPTS_ENGINE_TASKS,
	OPTS_ENGINE_THREADS,
	OPTS_ENGINE_MM,
	OPTS_ENGINE_FDS,
	OPTS_ENGINE_GROUPS,
};

/* Bits of opts.cpu_cap: what of the processor must match between dump and restore. */
enum opts_cpu_cap {
	OPTS_CPU_FPU = 1 << 0,
	OPTS_CPU_INS = 1 << 1,
	OPTS_CPU_CPU = 1 << 2,
	OPTS_CPU_DEFAULT = OPTS_CPU_FPU | OPTS_CPU_INS,
	OPTS_CPU_ALL = OPTS_CPU_FPU | OPTS_CPU_INS | OPTS_CPU_CPU,
};

enum opts_compat { OPTS_COMPAT_NONE, OPTS_COMPAT_CRIU };

enum opts_validation { OPTS_VALIDATE_FILESIZE, OPTS_VALIDATE_BUILDID };

/* --external TYPE[ID]:VALUE */
struct opts_external {
	const char *type;
	const char *id;    /* what stands in the brackets, may be empty */
	const char *value; /* NULL: no colon followed */
};

/* --inherit-fd fd[FD]:RESOURCE */
struct opts_inherit_fd {
	int fd;
	const char *resource; /* "tty[..]", "pipe[..]", "file[..]", a path .. */
};

struct opts {
	struct arena arena; /* holds what does not come from argv */
	const struct command *command;
	ARRAY(const char *) operands; /* after the command, and after "--" */

	pid_t tree_pid;         /* root of the tree; 0: not given */
	const char *images_dir; /* never NULL; relative to the directory crib was started in */
	const char *work_dir;   /* of log, pidfile, statistics, scripts; images_dir unless given */

	const char *log_file; /* in work_dir; NULL: standard error; "-": standard output */
	uint32_t verbosity;
	bool log_pid; /* restored tasks log into log_file.PID */
	bool display_stats;

	bool leave_running; /* at most one of the two */
	bool leave_stopped;
	bool restore_detached;
	bool restore_sibling;
	const char *pidfile; /* in work_dir; must not exist yet */
	int status_fd;       /* -1: none */
	const char *root;
	uint32_t timeout;     /* seconds that a phase may take; 0: no limit */
	ARRAY(int) close_fds; /* to be closed before anything else */
	ARRAY(const char *) action_scripts;

	bool shell_job;
	bool file_locks;
	bool link_remap;
	bool evasive_devices;
	uint64_t ghost_limit; /* bytes of one deleted file that go into the image */
	ARRAY(struct opts_external) externals;
	ARRAY(struct opts_inherit_fd) inherit_fds;
	uint32_t cpu_cap; /* enum opts_cpu_cap */
	bool cpu_cap_given;
	int file_validation; /* enum opts_validation */
	bool skip_file_rwx_check;

	uint8_t engine[OPTS_ENGINE_GROUPS]; /* enum opts_engine */
	bool engine_given;
	bool no_pin;      /* BPF programs are neither taken from bpffs nor put there */
	bool no_parasite; /* no code runs in the tree, but its own */
	const char *btf;  /* file with the kernel's type information; NULL: the kernel's own */
	int compat;       /* enum opts_compat */
	bool show_plan;
	bool json;

	const char *feature; /* check: this one only */
	bool check_extra;
	bool check_experimental;

	bool help;
	bool version;
	const char *config_file;
	bool no_default_config;
};

/* The value for which @engine is named on the command line. */
const char *opts_engine_name(enum opts_engine engine);

/* When a phase that begins now has to end (--timeout), as base/apart.h has deadlines. */
int64_t opts_deadline(const struct opts *opts);

/* The entry given by --external TYPE[ID], NULL when there is none. */
const struct opts_external *opts_find_external(const struct opts *opts, const char *type,
					       const char *id);

/* The descriptor given by --inherit-fd for @resource, -1 when there is none. */
int opts_find_inherit_fd(const struct opts *opts, const char *resource);

#endif /* CRIB_CLI_OPTS_H */
