/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From compel's errors to crib's.
 */
#ifndef CRIB_TARGET_COMPEL_ERR_H
#define CRIB_TARGET_COMPEL_ERR_H

#include <compel/compel.h>

#include "base/err.h"

/* Takes the description of a failed compel call over. Returns @ret. */
static inline int err_compel(struct err *err, int ret, const struct compel_error *from)
{
	return ret < 0 ? err_set(err, ret, "%s", from->text) : ret;
}

#endif /* CRIB_TARGET_COMPEL_ERR_H */
