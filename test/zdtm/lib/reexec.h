/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of what exec sets up: the program, started by the runner, executes a copy of itself.
 */
#ifndef CRIB_ZDTM_LIB_REEXEC_H
#define CRIB_ZDTM_LIB_REEXEC_H

#include <stdbool.h>

/* Whether the program runs as a copy, that is, after reexec_copy(). */
bool reexec_is_copy(void);

/*
 * Copies the program to @path and executes that with these arguments and this environment, to which
 * what reexec_is_copy() looks for is added. Does not return.
 */
_Noreturn void reexec_copy(const char *path, char *const *argv, char *const *envp);

#endif
