// SPDX-License-Identifier: GPL-2.0-only
/*
 * Steps that bring memory back: staging before the forks, and at last the restorer program.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "restore/context.h"
#include "restore/hold.h"
#include "restore/program.h"

static int open_vma_file(void *ctx, const struct vma *vma, int flags, int *ret_fd, struct err *err)
{
	struct actor *actor = ctx;

	return fd_open_path(&actor->opener, vma->file, flags, ret_fd, err);
}

int step_stage(void *ctx, const struct step *step, struct err *err)
{
	struct actor *actor = ctx;
	const struct vma_opener opener = { .open = open_vma_file, .ctx = actor };

	return stage_task(&actor->restore->stage, actor->task, actor->restore->images_fd, &opener,
			  err);
}

int step_stage_finish(void *ctx, const struct step *step, struct err *err)
{
	struct actor *actor = ctx;
	const struct vma_opener opener = { .open = open_vma_file, .ctx = actor };

	return stage_finish(&actor->restore->stage, actor->task, actor->restore->images_fd, &opener,
			    err);
}

static int open_dir(struct actor *actor, const struct ofd *ofd, const char *what, int *ret_fd,
		    struct err *err)
{
	int ret = fd_open_path(&actor->opener, ofd, O_PATH | O_DIRECTORY, ret_fd, err);

	return err_wrap(err, ret, "%s", what);
}

/* True when the image's root directory is the one that crib looks everything up below. */
static bool is_same_root(const struct task *task)
{
	const RegFileEntry *reg = task->fs->root->entry->reg;

	return reg && reg->name[0] == '/' && !reg->name[1];
}

/* Opens what the program needs, builds it and becomes the task. */
int step_memory(void *ctx, const struct step *step, struct err *err)
{
	struct actor *actor = ctx;
	struct restore *restore = actor->restore;
	struct task *task = actor->task;
	_cleanup_close_ int cwd_fd = -1, root_fd = -1, exe_fd = -1;
	struct program program;
	int ret;

	ret = open_dir(actor, task->fs->cwd, "working directory", &cwd_fd, err);
	if (ret == 0 && (!is_same_root(task) || restore->opts->root))
		ret = open_dir(actor, task->fs->root, "root directory", &root_fd, err);
	if (ret == 0 && task->mm->exe)
		ret = err_wrap(err,
			       fd_open_path(&actor->opener, task->mm->exe, O_RDONLY, &exe_fd, err),
			       "exe link");
	if (ret < 0)
		return ret;
	const struct program_env env = {
		.snap = &restore->snap,
		.task = task,
		.stage = &restore->stage,
		.images_fd = restore->images_fd,
		.opener = { .open = open_vma_file, .ctx = actor },
		.status_map = restore->status,
		.status_map_size = restore->status->size,
		.status_off = offsetof(struct status, restorer),
		.events_off = offsetof(struct status, events),
		.region_off = (size_t)((char *)status_region(restore->status, task->index) -
				       (char *)restore->status),
		.exe_fd = exe_fd,
		.cwd_fd = cwd_fd,
		.root_fd = root_fd,
		/* of a shared table they are closed when nobody needs them any more */
		.service_fd = task->fdt->shared ? -1 : restore->service_fd,
		.hold_before_creds = hold_has_task(task),
	};
	ret = program_build(&env, &program, err);
	if (ret == 0) {
		status_done(restore->status, step);
		ret = program_run(&program, err);
	}
	program_fini(&program);
	return ret;
}
