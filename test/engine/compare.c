// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezes a process tree, reads it with the BPF and with the /proc engine and compares what they
 * say, record for record, in every field that both of them filled.
 *
 *   compare [-b RUNS] [-it] [-r BYTES] [-n TYPE=COUNT]... PID
 *
 * With -i the processes are asked from inside too, for what the /proc engine cannot tell; with -r
 * the programs are loaded anew, with a ring of that size; with -n there must be at least COUNT
 * records of a type (vma, fd ..); with -t what inspect makes of it is compared, too. Prints differences and the times of collecting. Exit status 0:
 * none; 1: some; 77: there is no BPF here, or the tree cannot be frozen.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "collect/bpf/engine.h"
#include "collect/compare.h"
#include "collect/inside/inside.h"
#include "collect/source.h"
#include "target/freeze.h"
#include "text.h"

enum { BPF, PROC, ENGINES };

enum { TIMER_SLACK_NS = 10000000 };

static const char *const group_names[RG_MAX] = { "tasks", "threads", "mm", "fds" };

struct records {
	struct rec_list list;
	bool missing; /* the engine has none of this group */
	double ms;
};

struct options {
	pid_t pid;
	uint64_t runs, ring_size; /* 0: the programs that are pinned */
	bool inside, texts;
	uint64_t at_least[REC_TYPE_MAX]; /* records */
};

struct compare {
	const struct options *options;
	struct rec_compare compare;
	const struct frozen_tree *tree;
	const struct collect_target *targets;
	size_t nr_targets;
	struct source *source[ENGINES];
	struct arena arena;
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int collect(struct compare *cmp, int engine, enum rec_group group, struct records *ret)
{
	struct source *source = cmp->source[engine];
	struct err err = ERR_INIT;

	*ret = (struct records){ 0 };
	rec_list_init(&ret->list);
	double start = now_ms();
	int status = source->ops->collect(source, group, cmp->targets, cmp->nr_targets,
					  &ret->list.sink, &err);
	ret->ms = now_ms() - start;
	ret->missing = status == -ENOTSUP;
	if (status < 0 && !ret->missing) {
		printf("%s of %s: %s\n", source->ops->name, group_names[group], err.text);
		cmp->compare.differences++;
	}
	return status;
}

/* ---- From inside ---- */

static void timer_ids(struct compare *cmp, const struct rec_list *list, pid_t pid,
		      struct inside_need *need)
{
	uint32_t *ids = ARENA_ARRAY(&cmp->arena, uint32_t, list->v.n);

	need->timer_ids = ids;
	for (size_t i = 0; i < list->v.n; i++)
		if (list->v.v[i]->type == REC_PTIMER && list->v.v[i]->pid == (__u32)pid)
			ids[need->nr_timer_ids++] =
				((const struct rec_ptimer *)(const void *)list->v.v[i])->id;
}

/* Adds to what the /proc engine said what system calls in the processes answer. */
static void ask_inside(struct compare *cmp, enum rec_group group, struct records *records)
{
	for (size_t i = 0; i < cmp->tree->tasks.n; i++) {
		struct inside_need need = { .task = cmp->tree->tasks.v[i] };
		struct err err = ERR_INIT;

		if (cmp->tree->tasks.v[i]->zombie)
			continue;
		if (group == RG_TASK) {
			need.sigactions = need.itimers = true;
			need.rec_task = INSIDE_TASK;
			timer_ids(cmp, &records->list, cmp->tree->tasks.v[i]->pid, &need);
		} else if (group == RG_THREAD) {
			need.thread = INSIDE_THREAD;
		} else if (group == RG_MM) {
			need.mm = INSIDE_MM;
		}
		if (inside_collect(&need, 1, &records->list.sink, &err) < 0) {
			printf("inside task %d: %s\n", cmp->tree->tasks.v[i]->pid, err.text);
			cmp->compare.differences++;
		}
	}
}

/* ---- Comparing ---- */

static void print_difference(struct rec_compare *compare, const struct rec_hdr *rec,
			     const char *what, const char *bpf, const char *proc)
{
	_cleanup_strbuf_ struct strbuf about = { 0 };

	rec_describe(&about, rec);
	printf("task %u: %s: %s: bpf %s, proc %s\n", rec->pid, strbuf_str(&about), what, bpf, proc);
}

/* Times may differ by the time that has gone since @start, ms. */
static void compare_lists(struct compare *cmp, struct records *bpf, struct records *proc,
			  double start)
{
	cmp->compare.slack_ns = (uint64_t)((now_ms() - start) * 1e6) + TIMER_SLACK_NS;
	rec_compare_lists(&cmp->compare, &bpf->list, &proc->list);
}

static void count_records(struct compare *cmp, const struct rec_list *list, enum rec_group group)
{
	uint64_t count[REC_TYPE_MAX] = { 0 };

	for (size_t i = 0; i < list->v.n; i++)
		count[list->v.v[i]->type]++;
	for (int type = 1; type < REC_TYPE_MAX; type++) {
		uint64_t wanted = cmp->options->at_least[type];

		if (rec_type_group(type) != group || count[type] >= wanted)
			continue;
		cmp->compare.differences++;
		printf("%s: %" PRIu64 " records, not %" PRIu64 "\n", rec_type_name(type),
		       count[type], wanted);
	}
}

static void compare_group(struct compare *cmp, enum rec_group group)
{
	double best[ENGINES] = { 1e9, 1e9 };
	struct records records[ENGINES];
	uint64_t runs = cmp->options->runs;

	for (uint64_t run = 0; run < runs; run++) {
		double start = now_ms();

		for (int engine = 0; engine < ENGINES; engine++) {
			collect(cmp, engine, group, &records[engine]);
			if (records[engine].ms < best[engine])
				best[engine] = records[engine].ms;
		}
		if (run == 0 && cmp->options->inside)
			ask_inside(cmp, group, &records[PROC]);
		if (run == 0 && records[BPF].missing)
			printf("%s: the BPF engine has none\n", group_names[group]);
		else if (run == 0)
			compare_lists(cmp, &records[BPF], &records[PROC], start);
		count_records(cmp, &records[BPF].list, group);
		if (run == runs - 1)
			printf("%-8s bpf %7zu records %8.3f ms, proc %7zu records %8.3f ms, "
			       "ratio %.1f\n",
			       group_names[group], records[BPF].list.v.n, best[BPF],
			       records[PROC].list.v.n, best[PROC], best[PROC] / best[BPF]);
		rec_list_fini(&records[BPF].list);
		rec_list_fini(&records[PROC].list);
	}
}

/* What one engine cannot make a text of, the other cannot for the same reason. */
static void compare_texts(struct compare *cmp)
{
	struct err err[ENGINES] = { ERR_INIT, ERR_INIT };
	char *text[ENGINES];

	for (int engine = 0; engine < ENGINES; engine++)
		text[engine] =
			text_of_tree(cmp->tree, cmp->targets, cmp->source[engine], &err[engine]);
	if (text[BPF] && text[PROC])
		cmp->compare.differences += text_differs(text[BPF], text[PROC]);
	else if (text[BPF] || text[PROC] || strcmp(err[BPF].text, err[PROC].text))
		cmp->compare.differences +=
			printf("inspect: bpf '%s', proc '%s'\n", err[BPF].text, err[PROC].text) > 0;
	for (int engine = 0; engine < ENGINES; engine++)
		free(text[engine]);
}

/* ---- The tree ---- */

static void make_targets(struct compare *cmp, struct frozen_tree *tree)
{
	struct collect_target *targets =
		ARENA_ARRAY(&cmp->arena, struct collect_target, tree->tasks.n);

	cmp->targets = targets;
	cmp->nr_targets = tree->tasks.n;
	for (size_t i = 0; i < tree->tasks.n; i++) {
		const struct frozen_task *task = tree->tasks.v[i];
		pid_t *tids = ARENA_ARRAY(&cmp->arena, pid_t, task->threads.n);

		for (size_t t = 0; t < task->threads.n; t++)
			tids[t] = task->threads.v[t].tid;
		targets[i] = (struct collect_target){
			.pid = task->pid,
			.pidfd = task->pidfd,
			.tids = tids,
			.nr_tids = task->threads.n,
			.zombie = task->zombie,
		};
	}
}

/* One duplicate of each descriptor of the tree, and a pidfd of each process. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int run(const struct options *options, struct err *err)
{
	struct compare cmp = { .options = options };
	struct frozen_tree tree;
	double start = now_ms();

	raise_limit();
	cmp.source[BPF] = options->ring_size ? bpf_source_new_unpinned(options->ring_size, err) :
					       bpf_source_new(&(struct bpf_setup){ 0 }, err);
	if (!cmp.source[BPF])
		return 77;
	printf("opened the BPF engine in %.3f ms\n", now_ms() - start);
	cmp.source[PROC] = proc_source_new(err);
	if (!cmp.source[PROC])
		return 2;
	start = now_ms();
	if (freeze_tree(&tree, options->pid, &(struct freeze_opts){ 0 }, err) < 0)
		return 77; /* it is one that is refused */
	printf("froze %zu processes in %.3f ms\n", tree.tasks.n, now_ms() - start);
	rec_compare_init(&cmp.compare);
	cmp.compare.differ = print_difference;
	cmp.compare.no_actions = !options->inside;
	make_targets(&cmp, &tree);
	cmp.tree = &tree;
	for (enum rec_group group = 0; group < RG_MAX; group++)
		compare_group(&cmp, group);
	if (options->texts)
		compare_texts(&cmp);
	int ret = thaw_tree(&tree, THAW_RUN, err);
	for (int engine = 0; engine < ENGINES; engine++)
		cmp.source[engine]->ops->free(cmp.source[engine]);
	unsigned int differences = cmp.compare.differences;
	printf("%u records compared, %u differences\n", cmp.compare.compared, differences);
	rec_compare_fini(&cmp.compare);
	arena_fini(&cmp.arena);
	return ret < 0 ? 2 : differences != 0;
}

/* "vma=100000" */
static bool parse_at_least(struct options *options, char *arg)
{
	char *count = strchr(arg, '=');

	if (!count)
		return false;
	*count++ = '\0';
	for (int type = 1; type < REC_TYPE_MAX; type++)
		if (rec_type_name(type) && !strcmp(rec_type_name(type), arg))
			return parse_u64(count, UINT32_MAX, &options->at_least[type]) == 0;
	return false;
}

static bool parse_options(int argc, char **argv, struct options *options)
{
	uint64_t pid;
	int opt;

	*options = (struct options){ .runs = 1 };
	while ((opt = getopt(argc, argv, "b:in:r:t")) != -1) {
		bool ok = true;

		switch (opt) {
		case 'b': ok = !parse_u64(optarg, 1000, &options->runs) && options->runs; break;
		case 'i': options->inside = true; break;
		case 't': options->texts = true; break;
		case 'n': ok = parse_at_least(options, optarg); break;
		case 'r': ok = !parse_u64(optarg, 1 << 30, &options->ring_size); break;
		default: return false;
		}
		if (!ok)
			return false;
	}
	if (optind + 1 != argc || parse_u64(argv[optind], INT32_MAX, &pid) < 0)
		return false;
	options->pid = (pid_t)pid;
	return true;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct options options;

	if (!parse_options(argc, argv, &options)) {
		fprintf(stderr,
			"usage: compare [-b RUNS] [-it] [-r BYTES] [-n TYPE=COUNT]... PID\n");
		return 2;
	}
	int ret = run(&options, &err);
	if (err.code)
		fprintf(stderr, "compare: %s\n", err.text);
	return ret;
}
