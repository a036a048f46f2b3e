/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this kernel can do: a table of features under criu's names, each answered by trying it,
 * never by comparing versions.
 */
#ifndef CRIB_KERNEL_FEATURE_H
#define CRIB_KERNEL_FEATURE_H

#include <stddef.h>

#include "base/err.h"

enum feature_class {
	FEATURE_REQUIRED,     /* no tree can be dumped and restored without it */
	FEATURE_EXTRA,        /* some trees need it */
	FEATURE_EXPERIMENTAL, /* only experiments use it */
	FEATURE_NAMED,        /* answered only when somebody asks for it by name */
};

struct feature {
	const char *name;
	enum feature_class class;
	/*
	 * Tries it, in a short-lived child and fresh namespaces where it leaves traces.
	 * 0: it works; -EPERM or -EACCES: crib may not try; other -errno: it is not there.
	 */
	int (*probe)(struct err *err);
	const char *needed_for;
};

extern const struct feature feature_table[];
extern const size_t feature_count;

/* NULL when there is none of that name. */
const struct feature *feature_find(const char *name);

#endif /* CRIB_KERNEL_FEATURE_H */
