// SPDX-License-Identifier: GPL-2.0-only
/*
 * The self-test, see selftest.h. What differs is looked at again: a file of the system may have
 * changed between the two engines, but does not do so every time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "collect/bpf/selftest.h"
#include "collect/bpf/specimen.h"
#include "collect/compare.h"
#include "collect/inside/inside.h"
#include "collect/proc/proc_source.h"
#include "target/freeze.h"

enum { TRIES = 3, NSEC_PER_SEC = 1000000000 };

/* Of timers, of which each goes for a day: as long as the slowest machine may take. */
#define SLACK_NS (60ULL * NSEC_PER_SEC)

struct selftest {
	struct rec_compare compare;
	struct source *bpf, *proc;
	const struct frozen_tree *tree;
	struct collect_target *targets;
	struct arena arena;
	struct verdict *verdict;
	struct err *err;
};

const char *bpf_selftest_fault(void)
{
	return getenv("CRIB_FAIL_SELFTEST");
}

static void condemn(struct verdict *verdict, enum rec_type type, const char *why)
{
	size_t size = sizeof(verdict->first[type]);

	if (verdict->state[type] == VERDICT_DIFFERS)
		return;
	verdict->state[type] = VERDICT_DIFFERS;
	snprintf(verdict->first[type], size, "%.*s", (int)size - 1, why);
}

/* Numbers are not told: what was read from a wrong place may be an address of the kernel. */
static void note_difference(struct rec_compare *compare, const struct rec_hdr *rec,
			    const char *what, const char *bpf, const char *other)
{
	condemn(container_of(compare, struct selftest, compare)->verdict, rec->type, what);
}

/* ---- Reading it both ways ---- */

/* An engine that fails condemns all records of the group. */
static void read_bpf(struct selftest *test, struct rec_list *list)
{
	for (enum rec_group group = 0; group < RG_MAX; group++) {
		struct err why = ERR_INIT;

		if (test->bpf->ops->collect(test->bpf, group, test->targets, test->tree->tasks.n,
					    &list->sink, &why) == 0)
			continue;
		for (int type = 1; type < REC_TYPE_MAX; type++)
			if (rec_type_group((enum rec_type)type) == group)
				condemn(test->verdict, (enum rec_type)type, why.text);
	}
}

static void find_timers(struct selftest *test, const struct rec_list *list,
			struct inside_need *need)
{
	uint32_t *ids = ARENA_ARRAY(&test->arena, uint32_t, list->v.n);

	need->timer_ids = ids;
	for (size_t i = 0; i < list->v.n; i++)
		if (list->v.v[i]->type == REC_PTIMER && list->v.v[i]->pid == (__u32)need->task->pid)
			ids[need->nr_timer_ids++] =
				((const struct rec_ptimer *)(const void *)list->v.v[i])->id;
}

static int ask_inside(struct selftest *test, struct rec_list *list)
{
	size_t n = 0;
	struct inside_need *needs =
		ARENA_ARRAY(&test->arena, struct inside_need, test->tree->tasks.n);

	for (size_t i = 0; i < test->tree->tasks.n; i++) {
		const struct frozen_task *task = test->tree->tasks.v[i];

		if (task->zombie)
			continue;
		needs[n] = (struct inside_need){ .task = task,
						 .sigactions = true,
						 .itimers = true,
						 .rec_task = INSIDE_TASK,
						 .thread = INSIDE_THREAD,
						 .mm = INSIDE_MM,
						 /* its one filter allows all */
						 .no_seccomp = true };
		find_timers(test, list, &needs[n++]);
	}
	return inside_collect(needs, n, &list->sink, test->err);
}

static int read_proc(struct selftest *test, struct rec_list *list)
{
	int ret = 0;

	for (enum rec_group group = 0; group < RG_MAX && ret == 0; group++)
		ret = test->proc->ops->collect(test->proc, group, test->targets,
					       test->tree->tasks.n, &list->sink, test->err);
	return ret == 0 ? ask_inside(test, list) : ret;
}

/* ---- What no other engine tells ---- */

/* It has just begun to sleep. */
static void check_sleeper(struct selftest *test, const struct rec_list *bpf)
{
	const uint64_t most = (uint64_t)SPECIMEN_SLEEP_S * NSEC_PER_SEC;
	const uint64_t least = most - SLACK_NS;

	for (size_t i = 0; i < bpf->v.n; i++) {
		const struct rec_thread *rec = (const void *)bpf->v.v[i];

		if (rec->hdr.type != REC_THREAD ||
		    strncmp(rec->comm, SPECIMEN_SLEEPER, sizeof(rec->comm)))
			continue;
		if (!(rec->hdr.valid & RV_THREAD_RESTART) || rec->restart_remaining_ns > most ||
		    rec->restart_remaining_ns < least)
			note_difference(&test->compare, &rec->hdr, "rest of a sleep", "", "");
	}
}

static void spoil(struct rec_list *list)
{
	const char *name = bpf_selftest_fault();

	for (size_t i = 0; name && i < list->v.n; i++)
		if (!strcmp(name, rec_type_name(list->v.v[i]->type)))
			((char *)list->v.v[i])[sizeof(struct rec_hdr)] ^= 1;
}

/* ---- One round ---- */

static int compare_once(struct selftest *test)
{
	struct rec_list bpf, other;

	memset(test->verdict->state, VERDICT_UNTRIED, sizeof(test->verdict->state));
	rec_list_init(&bpf);
	rec_list_init(&other);
	rec_compare_init(&test->compare);
	test->compare.differ = note_difference;
	test->compare.slack_ns = SLACK_NS;
	test->compare.no_identity = proc_source_note(test->proc) != NULL;
	read_bpf(test, &bpf);
	spoil(&bpf);
	int ret = read_proc(test, &other);
	if (ret == 0) {
		rec_compare_lists(&test->compare, &bpf, &other);
		check_sleeper(test, &bpf);
	}
	for (size_t i = 0; i < bpf.v.n && ret == 0; i++)
		if (test->verdict->state[bpf.v.v[i]->type] == VERDICT_UNTRIED)
			test->verdict->state[bpf.v.v[i]->type] = VERDICT_TRUE;
	rec_compare_fini(&test->compare);
	rec_list_fini(&bpf);
	rec_list_fini(&other);
	return ret;
}

static void make_targets(struct selftest *test)
{
	const struct frozen_tree *tree = test->tree;

	test->targets = ARENA_ARRAY(&test->arena, struct collect_target, tree->tasks.n);
	for (size_t i = 0; i < tree->tasks.n; i++) {
		const struct frozen_task *task = tree->tasks.v[i];
		pid_t *tids = ARENA_ARRAY(&test->arena, pid_t, task->threads.n);

		for (size_t t = 0; t < task->threads.n; t++)
			tids[t] = task->threads.v[t].tid;
		test->targets[i] = (struct collect_target){ .pid = task->pid,
							    .pidfd = task->pidfd,
							    .tids = tids,
							    .nr_tids = task->threads.n,
							    .zombie = task->zombie };
	}
}

static int test_tree(struct selftest *test)
{
	int ret = 0;

	make_targets(test);
	for (int i = 0; i < TRIES && ret == 0; i++) {
		ret = compare_once(test);
		if (ret == 0 && !verdict_group_differs(test->verdict, RG_MAX))
			break;
	}
	return ret;
}

/* ---- The specimen's life ---- */

/* Its orphans become crib's own children, so that none of them is left to somebody else. */
static void end_specimen(struct frozen_tree *tree, pid_t pid)
{
	_cleanup_strbuf_ struct strbuf pids = { 0 };
	size_t n = tree->tasks.n;

	for (size_t i = 0; i < n; i++)
		strbuf_add(&pids, &tree->tasks.v[i]->pid, sizeof(pid_t));
	thaw_tree(tree, THAW_KILL, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (size_t i = 0; i < n; i++) {
		pid_t orphan;

		memcpy(&orphan, pids.data + i * sizeof(pid_t), sizeof(orphan));
		waitpid(orphan, NULL, __WALL);
	}
}

static int test_specimen(struct selftest *test)
{
	struct frozen_tree tree = { 0 };
	pid_t pid = specimen_start(test->err);

	if (pid < 0)
		return pid;
	int ret = freeze_tree(&tree, pid, &(struct freeze_opts){ 0 }, test->err);
	if (ret == 0) {
		test->tree = &tree;
		ret = test_tree(test);
	}
	end_specimen(&tree, pid);
	return ret;
}

int bpf_selftest(struct source *bpf, struct verdict *ret_verdict, struct err *err)
{
	struct selftest test = { .bpf = bpf, .verdict = ret_verdict, .err = err };
	int was_subreaper = 0;
	int ret;

	test.proc = proc_source_new(err);
	if (!test.proc)
		return err_wrap(err, err->code, "self-test of the BPF engine");
	prctl(PR_GET_CHILD_SUBREAPER, &was_subreaper);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	ret = test_specimen(&test);
	prctl(PR_SET_CHILD_SUBREAPER, was_subreaper);
	test.proc->ops->free(test.proc);
	arena_fini(&test.arena);
	return err_wrap(err, ret, "self-test of the BPF engine");
}
