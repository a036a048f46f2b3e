// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lookups in the options, see opts.h.
 */
#include <string.h>

#include "base/apart.h"
#include "cli/opts.h"

const char *opts_engine_name(enum opts_engine engine)
{
	switch (engine) {
	case OPTS_ENGINE_AUTO: return "auto";
	case OPTS_ENGINE_BPF: return "bpf";
	case OPTS_ENGINE_PROC: return "proc";
	}
	return "?";
}

int64_t opts_deadline(const struct opts *opts)
{
	if (!opts->timeout || opts->timeout == OPTS_TIMEOUT_UNSET)
		return APART_NO_DEADLINE;
	return apart_now() + opts->timeout * INT64_C(1000);
}

const struct opts_external *opts_find_external(const struct opts *opts, const char *type,
					       const char *id)
{
	array_each(const struct opts_external, ext, &opts->externals) {
		if (!strcmp(ext->type, type) && !strcmp(ext->id, id))
			return ext;
	}
	return NULL;
}

int opts_find_inherit_fd(const struct opts *opts, const char *resource)
{
	array_each(const struct opts_inherit_fd, inherit, &opts->inherit_fds) {
		if (!strcmp(inherit->resource, resource))
			return inherit->fd;
	}
	return -1;
}
