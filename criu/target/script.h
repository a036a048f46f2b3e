/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Action scripts: the programs that --action-script names, run at each stage of dump and restore
 * with the environment that criu gives them.
 */
#ifndef CRIB_TARGET_SCRIPT_H
#define CRIB_TARGET_SCRIPT_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "cli/opts.h"

struct script_hook {
	const char *name; /* CRTOOLS_SCRIPT_ACTION */
	const char *when;
};

extern const struct script_hook script_hooks[];
extern const size_t script_hook_count;

struct script_env {
	int images_fd;  /* the image directory, kept open while the script runs; -1: none yet */
	pid_t init_pid; /* of the tree's root, as crib sees it; 0: there is none yet */
};

/*
 * Runs every script for @hook, one of script_hooks, one after the other, as criu the one that was
 * given last first. Each runs in the work directory with no input and its output in the log, as
 * leader of a process group. All of them are run even when one fails.
 * 0, also when there are none; -ECANCELED when one ended with another status than 0, -errno when
 * one could not be started, described with the first failure.
 */
int script_run(const struct opts *opts, const char *hook, const struct script_env *env,
	       struct err *err) __warn_unused;

#endif /* CRIB_TARGET_SCRIPT_H */
