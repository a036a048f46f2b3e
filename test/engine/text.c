// SPDX-License-Identifier: GPL-2.0-only
/*
 * The text of inspect from one engine, see text.h: the stages of a dump up to the contents of
 * descriptors and the pages that there are, as in criu/dump/dump.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inspect.h"
#include "dump/build.h"
#include "dump/complete.h"
#include "dump/extract.h"
#include "dump/sleep.h"
#include "mem/mem.h"
#include "text.h"

struct text {
	const struct frozen_tree *tree;
	struct opts opts;
	struct gather gather;
	struct snapshot snap;
	struct fd_extract extract;
	struct complaints complaints;
};

static int collect(struct text *text, const struct collect_target *targets, struct source *source,
		   struct err *err)
{
	int ret = 0;

	for (enum rec_group group = 0; group < RG_MAX && ret == 0; group++)
		ret = source->ops->collect(source, group, targets, text->tree->tasks.n,
					   &text->gather.sink, err);
	if (ret == 0)
		ret = complete_records(text->tree, &text->gather, true, err);
	return ret == 0 ? sleep_complete(text->tree, &text->gather, err) : ret;
}

static int build(struct text *text, struct err *err)
{
	struct mem_stats stats = { 0 };

	text->extract = (struct fd_extract){ .snap = &text->snap, .opts = &text->opts };
	int ret = fd_extract_begin(&text->extract, err);
	if (ret == 0)
		ret = build_snapshot(&text->snap, &text->gather, text->tree, &text->extract,
				     &text->complaints, err);
	if (ret == 0 && !text->complaints.text.n) {
		ret = extract_contents(&text->snap, &text->gather, &text->extract, err);
		if (ret == 0)
			ret = mem_scan(&text->snap, true, &stats, err);
	}
	fd_extract_undo(&text->extract);
	return ret;
}

static int print(struct text *text, char **ret_text, struct err *err)
{
	const struct inspect_opts how = {
		.json = true,
		.live = true,
		.complaints = text->complaints.text.v,
		.nr_complaints = text->complaints.text.n,
	};
	size_t size;
	FILE *out = open_memstream(ret_text, &size);

	if (!out)
		return err_sys(err, "open_memstream");
	int ret = inspect_print(&text->snap, &how, out, err);
	fclose(out);
	return ret;
}

char *text_of_tree(const struct frozen_tree *tree, const struct collect_target *targets,
		   struct source *source, struct err *err)
{
	struct text text = {
		.tree = tree,
		.opts = { .shell_job = true, .file_locks = true, .ghost_limit = 1 << 30 },
	};
	char *ret_text = NULL;

	snapshot_init(&text.snap);
	gather_init(&text.gather);
	int ret = collect(&text, targets, source, err);
	if (ret == 0)
		ret = build(&text, err);
	if (ret == 0)
		ret = print(&text, &ret_text, err);
	if (text.extract.snap)
		fd_extract_end(&text.extract, NULL);
	complaints_fini(&text.complaints);
	snapshot_fini(&text.snap);
	gather_fini(&text.gather);
	if (ret == 0)
		return ret_text;
	free(ret_text);
	return NULL;
}

bool text_differs(const char *bpf, const char *proc)
{
	unsigned int line = 1;

	if (!strcmp(bpf, proc))
		return false;
	while (*bpf && *bpf == *proc) {
		line += *bpf == '\n';
		bpf++, proc++;
	}
	printf("inspect --json: line %u: bpf ...%.*s, proc ...%.*s\n", line,
	       (int)strcspn(bpf, "\n"), bpf, (int)strcspn(proc, "\n"), proc);
	return true;
}
