// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stopping restored threads, see trace.h.
 */
#include <errno.h>

#include "restore/trace.h"
#include "target/compel_err.h"

enum { STOP_TIMEOUT_MS = 10000 };

typedef int thread_fn(pid_t tid, int64_t deadline, struct err *err);

static int for_each_thread(const struct snapshot *snap, trace_choose_fn *choose, thread_fn *run,
			   int64_t deadline, struct err *err)
{
	for (size_t t = 0; t < snap->tasks.n; t++) {
		const struct task *task = snap->tasks.v[t];

		for (size_t i = 0; choose(task) && i < task->threads.n; i++) {
			int ret = run(task->threads.v[i].tid, deadline, err);

			if (ret < 0)
				return ret;
		}
	}
	return 0;
}

static int seize(pid_t tid, int64_t deadline, struct err *err)
{
	struct compel_error cerr = { 0 };

	return err_compel(err, compel_seize(tid, TRACE_OPTIONS, &cerr), &cerr);
}

static int interrupt(pid_t tid, int64_t deadline, struct err *err)
{
	struct compel_error cerr = { 0 };

	return err_compel(err, compel_interrupt(tid, &cerr), &cerr);
}

static int wait_stop(pid_t tid, int64_t deadline, struct err *err)
{
	struct compel_error cerr = { 0 };
	struct compel_stop stop = { 0 };
	int ret = compel_wait_stop(tid, deadline, &stop, &cerr);

	if (ret == 0 && stop.kind == COMPEL_STOP_EXITED)
		return err_set(err, -ESRCH, "thread %d is gone", tid);
	return err_compel(err, ret, &cerr);
}

int trace_seize(const struct snapshot *snap, trace_choose_fn *choose, struct err *err)
{
	return for_each_thread(snap, choose, seize, 0, err);
}

/* All are asked to stop before the first is waited for. */
int trace_stop(const struct snapshot *snap, trace_choose_fn *choose, struct err *err)
{
	int ret = for_each_thread(snap, choose, interrupt, 0, err);

	return ret == 0 ? for_each_thread(snap, choose, wait_stop, compel_deadline(STOP_TIMEOUT_MS),
					  err) :
			  ret;
}
