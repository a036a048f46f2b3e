/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What "crib inspect --json" says of a frozen tree with one engine or the other.
 */
#ifndef TEST_ENGINE_TEXT_H
#define TEST_ENGINE_TEXT_H

#include "collect/source.h"
#include "target/freeze.h"

/* The text as inspect makes it from what @source tells of @targets; the caller frees it. NULL: @err. */
char *text_of_tree(const struct frozen_tree *tree, const struct collect_target *targets,
		   struct source *source, struct err *err);

/* Prints the first lines where they differ. Returns whether they do. */
bool text_differs(const char *bpf, const char *proc);

#endif /* TEST_ENGINE_TEXT_H */
