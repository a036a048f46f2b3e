// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seccomp filters, installed while their threads wait, see hold.h.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "restore/commit.h"
#include "restore/describe.h"
#include "restore/hold.h"
#include "restore/trace.h"
#include "target/compel_err.h"
#include "task/seccomp.h"

enum { LOOK_INTERVAL_MS = 50 };

bool hold_has_task(const struct task *task)
{
	if (task->state != TASK_STATE_ALIVE && task->state != TASK_STATE_STOPPED)
		return false;
	array_each(const struct thread, thread, &task->threads)
		if (seccomp_has_filters(thread))
			return true;
	return false;
}

uint32_t hold_count_threads(const struct snapshot *snap)
{
	uint32_t n = 0;

	for (size_t i = 0; i < snap->tasks.n; i++)
		n += hold_has_task(snap->tasks.v[i]) ? (uint32_t)snap->tasks.v[i]->threads.n : 0;
	return n;
}

static int install_in_thread(const struct snapshot *snap, const struct seccomp_part *part,
			     struct err *err)
{
	/* seccomp stays suspended when the thread goes on */
	const struct compel_prepare_opts opts = {
		.options = TRACE_OPTIONS | PTRACE_O_SUSPEND_SECCOMP,
		.seccomp = COMPEL_SECCOMP_NONE,
	};
	struct compel_scratch scratch = { 0 };
	struct compel_error cerr = { 0 };
	struct compel_task ct;
	int ret = compel_prepare(&ct, part->thread->tid, &opts, &cerr);

	if (ret == 0)
		ret = compel_scratch_open(&ct, COMPEL_SCRATCH_MAP, seccomp_scratch_size(snap),
					  &scratch, &cerr);
	if (ret < 0)
		return err_compel(err, ret, &cerr);
	ret = seccomp_install(snap, part, &ct, &scratch, err);
	if (ret < 0)
		return ret;
	ret = compel_scratch_close(&ct, &scratch, &cerr);
	if (ret == 0)
		ret = compel_finish(&ct, &cerr);
	return err_compel(err, ret, &cerr);
}

/*
 * What all threads have in common they get at once, so that it is one and the same for the kernel:
 * only then can it add another filter to all of them later. The leader does that, and so is first.
 */
static int install_in_task(const struct snapshot *snap, const struct task *task, struct err *err)
{
	size_t common = 0;
	int ret = seccomp_count_common(snap, task, &common, err);

	if (ret == 0 && common && task->threads.n > 1) {
		const struct seccomp_part part = { &task->threads.v[0], 0, common, true };

		ret = install_in_thread(snap, &part, err);
	} else {
		common = 0;
	}
	array_each(const struct thread, thread, &task->threads) {
		const struct seccomp_part part = { thread, common, SIZE_MAX, false };
		size_t n = 0;

		if (ret == 0)
			ret = seccomp_count_filters(snap, thread, &n, err);
		if (ret == 0 && n > common)
			ret = err_wrap(err, install_in_thread(snap, &part, err), "thread %d",
				       thread->tid);
	}
	return ret;
}

static int suspend_task(const struct task *task, struct err *err)
{
	struct compel_error cerr = { 0 };
	int ret = 0;

	for (size_t i = 0; i < task->threads.n && ret == 0; i++)
		ret = compel_seccomp_suspend(task->threads.v[i].tid, true, TRACE_OPTIONS, &cerr);
	return err_compel(err, ret, &cerr);
}

static int continue_task(const struct task *task, struct err *err)
{
	struct compel_error cerr = { 0 };
	int ret = 0;

	for (size_t i = 0; i < task->threads.n && ret == 0; i++)
		ret = compel_continue(task->threads.v[i].tid, 0, &cerr);
	return err_compel(err, ret, &cerr);
}

static int for_each_task(const struct snapshot *snap,
			 int (*run)(const struct task *task, struct err *err), struct err *err)
{
	int ret = 0;

	for (size_t i = 0; i < snap->tasks.n && ret == 0; i++)
		if (hold_has_task(snap->tasks.v[i]))
			ret = err_wrap(err, run(snap->tasks.v[i], err), "task %d",
				       snap->tasks.v[i]->pid);
	return ret;
}

/* Of threads on their way: none must die. Of the signals that may come one stops them at detach. */
static int take_reports(struct err *err)
{
	int status;
	pid_t tid;

	while ((tid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
		if (!WIFSTOPPED(status))
			return err_set(err, -ECHILD, "thread %d died while it was restored", tid);
		compel_continue(tid, status >> 16 ? 0 : WSTOPSIG(status), NULL);
	}
	return 0;
}

static int await_parking(struct restore *restore, struct err *err)
{
	const uint32_t all = commit_count_threads(&restore->snap);
	uint32_t seen = __atomic_load_n(&restore->status->events, __ATOMIC_SEQ_CST);
	struct restorer_status *blob = &restore->status->restorer;
	int ret = 0;

	while (ret == 0 && __atomic_load_n(&blob->parked, __ATOMIC_SEQ_CST) != all) {
		if (__atomic_load_n(&blob->failed, __ATOMIC_SEQ_CST))
			return describe_blob_failure(&restore->snap, blob, err);
		if (status_is_over(restore->status))
			return -ECANCELED;
		ret = take_reports(err);
		seen = status_wait_event(restore->status, seen, LOOK_INTERVAL_MS);
	}
	return ret;
}

int step_filters(void *ctx, const struct step *step, struct err *err)
{
	struct restore *restore = ((struct actor *)ctx)->restore;
	const struct snapshot *snap = &restore->snap;
	int ret = trace_seize(snap, hold_has_task, err);

	if (ret == 0)
		ret = trace_stop(snap, hold_has_task, err);
	if (ret == 0)
		ret = for_each_task(snap, suspend_task, err);
	for (size_t i = 0; i < snap->tasks.n && ret == 0; i++)
		if (hold_has_task(snap->tasks.v[i]))
			ret = err_wrap(err, install_in_task(snap, snap->tasks.v[i], err), "task %d",
				       snap->tasks.v[i]->pid);
	if (ret == 0)
		ret = for_each_task(snap, continue_task, err);
	if (ret < 0)
		return ret;
	program_status_release(&restore->status->restorer);
	return await_parking(restore, err);
}
