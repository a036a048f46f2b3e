/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the self-test of the BPF engine found on this kernel: for each type of record whether what
 * the programs say of objects that crib has just made is true.
 */
#ifndef CRIB_COLLECT_VERDICT_H
#define CRIB_COLLECT_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "collect/source.h"

enum verdict_state { VERDICT_UNTRIED, VERDICT_TRUE, VERDICT_DIFFERS };

struct verdict {
	uint64_t tag;                /* the kernel's hash of the programs that were tested */
	uint64_t types;              /* which file of type information they were loaded with, 0: the
				      * kernel's own */
	uint8_t state[REC_TYPE_MAX]; /* enum verdict_state */
	char first[REC_TYPE_MAX][80]; /* of what differs: the first that did */
};

/* Whether all types of records were tested. */
bool verdict_is_complete(const struct verdict *verdict);
bool verdict_group_differs(const struct verdict *verdict, enum rec_group group);

/* "fd: fd 3: size; ..": what differs of @group, or of all with RG_MAX. */
void verdict_describe(const struct verdict *verdict, enum rec_group group, struct strbuf *buf);

/* As it is kept: lines of text, and back. False when @text is none. */
void verdict_print(const struct verdict *verdict, struct strbuf *buf);
bool verdict_parse(const char *text, struct verdict *ret_verdict);

#endif /* CRIB_COLLECT_VERDICT_H */
