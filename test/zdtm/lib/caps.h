/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capabilities of the calling thread, by system calls.
 */
#ifndef CRIB_ZDTM_LIB_CAPS_H
#define CRIB_ZDTM_LIB_CAPS_H

#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>

/* Masks of 1ULL << CAP_X. */
struct caps {
	uint64_t effective, permitted, inheritable;
};

/* Both fail the test when the call fails. */
struct caps caps_get(void);
void caps_set(struct caps caps);

/* Skips the test unless all of @mask are permitted. */
void caps_need(uint64_t mask);

/* Fails the test unless the calling thread's capabilities are @expected. */
void caps_check(struct caps expected);

#define CAP_BIT(cap) (1ULL << (cap))

#endif
