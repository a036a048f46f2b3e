/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vdso of an image on the kernel at hand. If it is the same it moves to its old place. If not,
 * the old code stays at its old place, with a jump to the new function where each one began: libc
 * has looked them up once and for all.
 */
#ifndef CRIB_RESTORE_VDSO_H
#define CRIB_RESTORE_VDSO_H

#include <stddef.h>
#include <stdint.h>

#include "base/array.h"
#include "base/err.h"

struct vdso_symbol {
	const char *name; /* in the vdso's bytes */
	uint64_t value;   /* from the start of the vdso, bytes */
};

struct vdso_symbols {
	ARRAY(struct vdso_symbol) v;
};

/* The functions that a vdso offers. Its bytes may be anything. 0 or -EBADMSG. */
int vdso_read_symbols(const uint8_t *image, size_t size, struct arena *arena,
		      struct vdso_symbols *symbols, struct err *err);

/*
 * Puts jumps into the old vdso @image of @size bytes: to the functions of @now, which lies at @base.
 * Functions that @now does not have become system calls. 0; -EBADMSG; -ENOTSUP: a function for which
 * there is neither.
 */
int vdso_redirect(uint8_t *image, size_t size, const struct vdso_symbols *now, uint64_t base,
		  struct arena *arena, struct err *err);

#endif /* CRIB_RESTORE_VDSO_H */
