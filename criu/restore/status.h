/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The status page: shared memory through which the processes of one restore see each other's
 * progress, and the first error travels to the coordinator as plain data. Every wait is a futex.
 */
#ifndef CRIB_RESTORE_STATUS_H
#define CRIB_RESTORE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "crib/restorer_abi.h"
#include "plan/plan.h"

enum step_state { STEP_TODO, STEP_DONE };

/* What becomes of the tree, decided once: the finisher lets it go, or the coordinator gives it up. */
enum status_verdict { STATUS_OPEN, STATUS_RESUMED, STATUS_GIVEN_UP };

struct status {
	uint32_t events;                /* futex: grows with everything that happens */
	uint32_t failed;                /* 0, or 1 + index of the task that failed first */
	uint32_t phase_left[PHASE_MAX]; /* futexes: steps of the phase that are not done */
	uint32_t claimed;               /* 0 until somebody owns error */
	struct err error;               /* valid once failed is set */
	uint32_t verdict;               /* enum status_verdict */
	uint32_t let_go;                /* 1: every task runs, and needs no tracer */
	uint32_t has_pidfile;
	const char *doing; /* of the finisher: what it is about, for messages, */
	int64_t deadline;  /* and when it has to be done with it (base/apart.h) */
	uint32_t nr_steps, nr_tasks;
	uint64_t size;                   /* bytes of the mapping */
	struct restorer_status restorer; /* what the blobs report */
	uint32_t regions_off;            /* of nr_tasks struct restorer_range, see program_env */
	uint32_t words[];                /* nr_steps enum step_state futexes, then nr_tasks flags */
};

/* The blob's region in the task of this index, valid once its threads are parked. */
static inline struct restorer_range *status_region(struct status *status, uint32_t task)
{
	return (struct restorer_range *)((char *)status + status->regions_off) + task;
}

/* A fresh page for a sealed plan, inherited by fork. NULL with @err. */
struct status *status_new(const struct plan *plan, uint32_t nr_tasks, struct err *err);
void status_free(struct status *status);

/* Marks a step done and wakes who waits for it. */
void status_done(struct status *status, const struct step *step);

bool status_step_is_done(const struct status *status, const struct step *step);

/* The first failure of all is kept, with @task the index of the failing task (coordinator: 0). */
void status_fail(struct status *status, uint32_t task, const struct err *err);

/* True when the verdict is @want, by this call or an earlier one. */
bool status_decide(struct status *status, enum status_verdict want);

/* For the finisher: it begins something that has to be done by @deadline. @what stays valid. */
void status_begin(struct status *status, const char *what, int64_t deadline);

/* Somebody failed, or the coordinator died. */
bool status_is_over(const struct status *status);

/*
 * Wait until a step, or all steps of a phase, are done. 0, or -ECANCELED once it is over.
 */
int status_wait_step(struct status *status, uint32_t step);
int status_wait_phase(struct status *status, enum plan_phase phase);

/* A flag per task: its process exists. */
void status_set_alive(struct status *status, uint32_t task);
int status_is_alive(const struct status *status, uint32_t task);

/*
 * For the coordinator: sleeps until something happens after @seen or @timeout_ms went by.
 * Returns the new count of events.
 */
uint32_t status_wait_event(struct status *status, uint32_t seen, int timeout_ms);

#endif /* CRIB_RESTORE_STATUS_H */
