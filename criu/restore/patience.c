// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work that --timeout ends, see patience.h.
 */
#include <errno.h>

#include "base/apart.h"
#include "restore/patience.h"

struct work {
	struct restore *restore;
	patience_fn *run;
	struct err *err;
};

static int run_work(void *arg)
{
	struct work *work = arg;

	return work->run(work->restore, work->err);
}

int patience_run_apart(struct restore *restore, patience_fn *run, const char *what, struct err *err)
{
	struct work work = { restore, run, err };
	int ret = 0;

	switch (apart_run(run_work, &work, restore->deadline, &ret)) {
	case APART_DONE: return ret;
	case APART_KILLED:
		return err_set(err, -ECHILD, "%s: the process that does it was killed", what);
	case APART_LATE:
		return err_set(err, -ETIMEDOUT, "%s took more than %u s (--timeout)", what,
			       restore->opts->timeout);
	case APART_FAILED: break;
	}
	return err_sys(err, "clone a process for %s", what);
}

int patience_run(struct restore *restore, patience_fn *run, const char *what, struct err *err)
{
	if (restore->deadline == APART_NO_DEADLINE)
		return run(restore, err);
	return patience_run_apart(restore, run, what, err);
}
