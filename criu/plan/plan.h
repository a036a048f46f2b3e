/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plan of a restore: a list of named steps with explicit dependencies, built and sealed before
 * anything happens. A step runs in the task it belongs to (its actor) or in the coordinator, in
 * the order of the list; phases are the only global barriers.
 */
#ifndef CRIB_PLAN_PLAN_H
#define CRIB_PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/array.h"
#include "base/err.h"

enum plan_phase {
	PHASE_PREPARE, /* coordinator: what tasks inherit */
	PHASE_FORK,    /* the tree, its sessions; private memory of those who share it */
	PHASE_GROUP,   /* process groups, for which every member must exist */
	PHASE_OPEN,    /* descriptors */
	PHASE_FINISH,  /* what needs every descriptor at its number */
	PHASE_MEMORY,  /* memory, then the restorer program up to its parking place */
	PHASE_COMMIT,  /* coordinator: registers, last checks */
	PHASE_RESUME,  /* coordinator: let go. Cannot fail any more */
	PHASE_MAX,
};

struct step;

/* Runs in the step's actor; @ctx is what plan users hand to step_run(). */
typedef int step_fn(void *ctx, const struct step *step, struct err *err);

struct step {
	const char *name; /* unique: "fork 123", "open 123 fd 4" */
	enum plan_phase phase;
	const void *actor; /* whose step; NULL: the coordinator's */
	step_fn *run;
	const void *obj; /* what the step is about */
	const void *obj2;
	uint32_t index;
	ARRAY(uint32_t) deps; /* steps that must be done before */
};

struct plan {
	struct arena arena;
	ARRAY(struct step *) steps;
	uint32_t phase_steps[PHASE_MAX]; /* number of steps of each phase; set by plan_seal() */
	bool sealed;
};

void plan_fini(struct plan *plan);

/* Appends a step. The name is formatted into the plan's arena. */
struct step *plan_add(struct plan *plan, enum plan_phase phase, const void *actor, step_fn *run,
		      const void *obj, const char *fmt, ...) __printf_like(6, 7);

/* @step does not start before @before is done. NULL is no dependency. */
void plan_depend(struct plan *plan, struct step *step, const struct step *before);

/*
 * Sorts by phase, keeping the order within one, and checks that every dependency stands earlier
 * in the order and names are unique: a sealed plan cannot deadlock. 0 or -EINVAL.
 */
int plan_seal(struct plan *plan, struct err *err);

/* "PHASE\n  step  (after step, step)\n" lines. The plan is sealed. */
void plan_print(const struct plan *plan, FILE *out);

const char *plan_phase_name(enum plan_phase phase);

#endif /* CRIB_PLAN_PLAN_H */
