/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one restore knows, in the coordinator and, inherited by fork, in every actor.
 */
#ifndef CRIB_RESTORE_CONTEXT_H
#define CRIB_RESTORE_CONTEXT_H

#include "base/progress.h"
#include "cli/opts.h"
#include "fd/fd_kind.h"
#include "model/snapshot.h"
#include "plan/plan.h"
#include "restore/genealogy.h"
#include "restore/program.h"
#include "restore/stage.h"
#include "restore/status.h"

struct restore {
	const struct opts *opts;
	struct snapshot snap;
	struct genealogy genealogy;
	struct plan plan;
	struct stage stage;
	struct status *status;
	int images_fd; /* these are at service_fd or above */
	int root_fd;
	int work_fd;
	int service_fd; /* lowest number that no restored task uses */
	pid_t own_sid, own_pgid;
	/* coordinator only */
	int64_t deadline; /* of the phase, as base/apart.h has them */
	int *pidfds;      /* by task index; -1: not yet there */
	bool prepared;    /* fd_restore_prepare() has run */
	struct progress progress;
	struct progress_line progress_line;
	int64_t start_us, forked_us;
	struct program_owner owner;
};

/* One process that runs its steps: what step_fn gets as ctx. */
struct actor {
	struct restore *restore;
	struct task *task; /* NULL: the coordinator */
	struct fd_opener opener;
};

/* Runs all steps of @task in their order, and becomes the task. */
_Noreturn void actor_main(struct restore *restore, struct task *task);

/*
 * Runs the steps of one actor in one phase: waits for dependencies, reports each.
 * 0, or -errno: somebody failed, which the status page describes.
 */
int actor_run_phase(struct actor *actor, enum plan_phase phase);

/* Steps of the plan, run by actors. ctx is a struct actor. */
step_fn step_fork, step_setsid, step_take_terminal, step_foreground, step_subreaper, step_stage,
	step_stage_finish, step_setpgid, step_helper_exit, step_helper_reap, step_zombie_exit,
	step_zombies_settle, step_open_begin, step_open, step_fetch, step_finish_fd,
	step_take_locks, step_memory;
/* Steps of the coordinator, the last five in the finisher. */
step_fn step_prepare_files, step_prepare_shmem, step_seal_files, step_verify_contents,
	step_find_shared, step_filters, step_owners, step_commit, step_announce, step_resume;

/* Runs the action scripts of one hook. As script_run(). */
int restore_run_script(struct restore *restore, const char *hook, struct err *err);

/* Everything of restore->plan from restore->snap. 0 or -errno; nothing has happened yet. */
int restore_build_plan(struct restore *restore, struct err *err);

#endif /* CRIB_RESTORE_CONTEXT_H */
