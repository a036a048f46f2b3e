// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building, sealing and printing a plan. Nothing here has an effect outside of the plan.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

static const char *const phase_names[PHASE_MAX] = {
	"PREPARE", "FORK", "GROUP", "OPEN", "FINISH", "MEMORY", "COMMIT", "RESUME",
};

const char *plan_phase_name(enum plan_phase phase)
{
	return phase < PHASE_MAX ? phase_names[phase] : "?";
}

void plan_fini(struct plan *plan)
{
	arena_fini(&plan->arena);
	*plan = (struct plan){ 0 };
}

struct step *plan_add(struct plan *plan, enum plan_phase phase, const void *actor, step_fn *run,
		      const void *obj, const char *fmt, ...)
{
	struct step *step = ARENA_NEW(&plan->arena, struct step);
	char name[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name), fmt, ap);
	va_end(ap);
	step->name = arena_strdup(&plan->arena, name);
	step->phase = phase;
	step->actor = actor;
	step->run = run;
	step->obj = obj;
	step->index = (uint32_t)plan->steps.n;
	*array_push(&plan->arena, &plan->steps) = step;
	return step;
}

/* Dependencies are kept as indices; until the plan is sealed these are positions of plan_add(). */
void plan_depend(struct plan *plan, struct step *step, const struct step *before)
{
	if (before)
		*array_push(&plan->arena, &step->deps) = before->index;
}

/* Stable: the order of plan_add() within one phase is the order of work. */
static void sort_by_phase(struct plan *plan, uint32_t *new_index)
{
	struct step **sorted = ARENA_ARRAY(&plan->arena, struct step *, plan->steps.n);
	uint32_t n = 0;

	for (int phase = 0; phase < PHASE_MAX; phase++) {
		for (size_t i = 0; i < plan->steps.n; i++) {
			if ((int)plan->steps.v[i]->phase != phase)
				continue;
			new_index[i] = n;
			sorted[n++] = plan->steps.v[i];
			plan->phase_steps[phase]++;
		}
	}
	plan->steps.v = sorted;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct step *const *)a)->name, (*(struct step *const *)b)->name);
}

static int check_names(struct plan *plan, struct err *err)
{
	size_t n = plan->steps.n;
	struct step **by_name = arena_memdup(&plan->arena, plan->steps.v, n * sizeof(*by_name));

	qsort(by_name, n, sizeof(*by_name), compare_names);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(by_name[i - 1]->name, by_name[i]->name))
			return err_set(err, -EINVAL, "plan: two steps are named '%s'",
				       by_name[i]->name);
	return 0;
}

int plan_seal(struct plan *plan, struct err *err)
{
	uint32_t *new_index = ARENA_ARRAY(&plan->arena, uint32_t, plan->steps.n);

	sort_by_phase(plan, new_index);
	for (uint32_t i = 0; i < plan->steps.n; i++) {
		struct step *step = plan->steps.v[i];

		step->index = i;
		array_each(uint32_t, dep, &step->deps) {
			*dep = new_index[*dep];
			if (*dep >= i)
				return err_set(err, -EINVAL,
					       "plan: step '%s' waits for '%s', which comes later",
					       step->name, plan->steps.v[*dep]->name);
		}
	}
	plan->sealed = true;
	return check_names(plan, err);
}

void plan_print(const struct plan *plan, FILE *out)
{
	int phase = -1;

	for (size_t i = 0; i < plan->steps.n; i++) {
		const struct step *step = plan->steps.v[i];

		if ((int)step->phase != phase) {
			phase = (int)step->phase;
			fprintf(out, "%s\n", plan_phase_name(step->phase));
		}
		fprintf(out, "  %s", step->name);
		for (size_t d = 0; d < step->deps.n; d++)
			fprintf(out, "%s%s", d ? ", " : "  (after ",
				plan->steps.v[step->deps.v[d]]->name);
		fprintf(out, "%s\n", step->deps.n ? ")" : "");
	}
}
