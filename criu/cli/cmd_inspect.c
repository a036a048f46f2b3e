// SPDX-License-Identifier: GPL-2.0-only
/*
 * crib inspect: what is in an image directory, or what a dump of a live tree would hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "cli/command.h"
#include "cli/inspect.h"
#include "dump/dump.h"
#include "image/image.h"

static int show_live(const struct snapshot *snap, const struct complaints *complaints, void *ctx,
		     struct err *err)
{
	const struct opts *opts = ctx;
	const struct inspect_opts how = {
		.json = opts->json,
		.live = true,
		.complaints = complaints->text.v,
		.nr_complaints = complaints->text.n,
	};
	int ret = inspect_print(snap, &how, stdout, err);

	fflush(stdout);
	return ret;
}

static int inspect_dir(const struct opts *opts, const char *path, struct err *err)
{
	_cleanup_close_ int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct inspect_opts how = { .json = opts->json };
	struct snapshot snap;

	if (dirfd < 0)
		return err_sys(err, "open image directory '%s'", path);
	snapshot_init(&snap);
	int ret = image_load(&snap, dirfd, &(struct image_load_opts){ .any_machine = true }, err);
	if (ret == 0)
		ret = inspect_print(&snap, &how, stdout, err);
	snapshot_fini(&snap);
	return ret;
}

int cmd_inspect(const struct opts *opts, struct err *err)
{
	if (opts->tree_pid)
		return dump_inspect(opts, show_live, (void *)opts, err);
	return inspect_dir(opts, opts->operands.n ? opts->operands.v[0] : opts->images_dir, err);
}
