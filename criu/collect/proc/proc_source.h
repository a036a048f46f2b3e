/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a user of the /proc engine may ask beyond source.h.
 */
#ifndef CRIB_COLLECT_PROC_PROC_SOURCE_H
#define CRIB_COLLECT_PROC_PROC_SOURCE_H

#include "collect/source.h"

/*
 * What this kernel cannot tell and how the source helps itself, for one warning. NULL: nothing is
 * missing, or @source is another engine.
 */
const char *proc_source_note(const struct source *source);

#endif /* CRIB_COLLECT_PROC_PROC_SOURCE_H */
