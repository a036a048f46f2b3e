/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stopping the threads of restored tasks by ptrace, in the finisher. It is their tracer from then
 * on, and when it dies they die: PTRACE_O_EXITKILL.
 */
#ifndef CRIB_RESTORE_TRACE_H
#define CRIB_RESTORE_TRACE_H

#include <compel/compel.h>
#include <stdbool.h>
#include <sys/ptrace.h>

#include "base/err.h"
#include "model/snapshot.h"

enum { TRACE_OPTIONS = COMPEL_SEIZE_OPTIONS | PTRACE_O_EXITKILL };

/* Which tasks a function is for. */
typedef bool trace_choose_fn(const struct task *task);

/* Starts to trace all threads of the chosen tasks, which run on. 0 or -errno. */
int trace_seize(const struct snapshot *snap, trace_choose_fn *choose, struct err *err);

/*
 * Stops all threads of the chosen tasks, which are traced: they are parked or held, and what does
 * not stop at once never will. 0 or -errno.
 */
int trace_stop(const struct snapshot *snap, trace_choose_fn *choose, struct err *err);

#endif /* CRIB_RESTORE_TRACE_H */
