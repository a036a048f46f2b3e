// SPDX-License-Identifier: GPL-2.0-only
/*
 * Choosing engines, see engine.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "collect/engine.h"
#include "collect/verdict.h"

#ifdef NO_BPF
struct source *bpf_source_new(const struct bpf_setup *setup, struct err *err)
{
	err_set(err, -ENOTSUP, "this crib was built without the BPF engine (make BPF=0)");
	return NULL;
}
#endif

/*
 * What the BPF engine saves, in microseconds, and what it costs to load it: medians that
 * test/engine/compare measured, rounded in favour of not loading.
 */
enum {
	SAVED_BY_TASK = 120,
	SAVED_BY_THREAD = 12,
	SAVED_BY_FD = 5,
	LOADING = 40000,
};

struct pids {
	pid_t *v;
	size_t n, cap;
};

static bool is_chosen(const uint8_t choice[RG_MAX], enum engine_choice engine)
{
	return memchr(choice, engine, RG_MAX) != NULL;
}

/* What the self-test found to be wrong comes from /proc. */
static void open_bpf(struct engines *engines)
{
	engines->bpf = bpf_source_new(&engines->setup, &engines->reason);
	if (!engines->bpf || !engines->bpf->verdict)
		return;
	for (enum rec_group group = 0; group < RG_MAX; group++) {
		if (engines->choice[group] == ENGINE_PROC ||
		    !verdict_group_differs(engines->bpf->verdict, group))
			continue;
		engines->choice[group] = ENGINE_PROC;
		engines->differs[group] = true;
	}
}

static const char *const group_names[RG_MAX] = { "tasks", "threads", "mm", "fds" };

void engines_describe_used(const struct engines *engines, struct strbuf *buf)
{
	bool bpf = memchr(engines->used_bpf, true, RG_MAX) != NULL;

	strbuf_puts(buf, bpf ? "bpf" : "proc");
	for (enum rec_group group = 0; group < RG_MAX && bpf; group++)
		if (!engines->used_bpf[group])
			strbuf_printf(buf, ",%s=proc", group_names[group]);
}

bool engines_describe_differing(const struct engines *engines, struct strbuf *buf)
{
	const char *gap = "";

	for (enum rec_group group = 0; group < RG_MAX; group++) {
		if (!engines->differs[group])
			continue;
		strbuf_printf(buf, "%s%s: ", gap, group_names[group]);
		verdict_describe(engines->bpf->verdict, group, buf);
		gap = "; ";
	}
	return *gap;
}

/* Who gives a file wants it to be used; what this kernel cannot do does not depend on it. */
static bool is_wrong_file(const struct bpf_setup *setup, int code)
{
	return setup->btf && code != -EPERM && code != -ENOTSUP;
}

int engines_open(struct engines *engines, const uint8_t choice[RG_MAX],
		 const struct bpf_setup *setup, struct err *err)
{
	bool insists = is_chosen(choice, ENGINE_BPF);

	*engines = (struct engines){ .setup = *setup };
	engines->setup.if_ready = !insists && !setup->btf;
	memcpy(engines->choice, choice, RG_MAX);
	engines->proc = proc_source_new(err);
	if (!engines->proc)
		return err->code;
	if (!insists && !is_chosen(choice, ENGINE_AUTO))
		return 0;
	open_bpf(engines);
	if (engines->bpf)
		return 0;
	if (insists || is_wrong_file(setup, engines->reason.code)) {
		*err = engines->reason;
		engines_close(engines);
		return err->code;
	}
	engines->may_load = engines->reason.code == -EAGAIN;
	engines->fell_back = !engines->may_load;
	return 0;
}

/* ---- Whether loading pays ---- */

/* A count that stat(2) of a directory of process @pid tells, for which nothing has to be read. */
static uint64_t count_in(pid_t pid, const char *dir, bool links)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, dir);
	if (stat(path, &st) < 0)
		return 0;
	return links ? (uint64_t)st.st_nlink - 2 : (uint64_t)st.st_size;
}

/* Appends the children of @pid's main thread, who has nearly all of them. */
static void add_children(struct arena *arena, struct pids *pids, pid_t pid)
{
	_cleanup_strbuf_ struct strbuf text = { 0 };
	char path[64];
	uint64_t child;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	if (io_read_file(AT_FDCWD, path, &text) < 0)
		return;
	for (const char *p = strbuf_str(&text); scan_u64(&p, &child); scan_blanks(&p))
		*array_push(arena, pids) = (pid_t)child;
}

/* An estimate in microseconds; no more than LOADING. */
static uint64_t saved_by_bpf(pid_t root)
{
	struct arena arena = { 0 };
	struct pids pids = { 0 };
	uint64_t saved = 0;

	*array_push(&arena, &pids) = root;
	for (size_t i = 0; i < pids.n && saved < LOADING; i++) {
		pid_t pid = pids.v[i];

		saved += SAVED_BY_TASK + SAVED_BY_THREAD * count_in(pid, "task", true) +
			 SAVED_BY_FD * count_in(pid, "fd", false); /* since Linux 6.2 */
		add_children(&arena, &pids, pid);
	}
	arena_fini(&arena);
	return saved;
}

void engines_prepare(struct engines *engines, pid_t root)
{
	if (!engines->may_load)
		return;
	engines->may_load = false;
	if (saved_by_bpf(root) < LOADING)
		return;
	engines->setup.if_ready = false;
	open_bpf(engines);
	engines->fell_back = !engines->bpf;
}

/* ---- Collecting ---- */

bool engines_use_bpf(const struct engines *engines, enum rec_group group)
{
	return engines->bpf && engines->choice[group] != ENGINE_PROC;
}

void engines_close(struct engines *engines)
{
	if (engines->bpf)
		engines->bpf->ops->free(engines->bpf);
	if (engines->proc)
		engines->proc->ops->free(engines->proc);
	engines->bpf = engines->proc = NULL;
}

/* Counts what it passes on. */
struct counting_sink {
	struct rec_sink sink;
	struct rec_sink *next;
	uint64_t n;
};

static int count_and_emit(struct rec_sink *sink, const struct rec_hdr *rec, struct err *err)
{
	struct counting_sink *counting = container_of(sink, struct counting_sink, sink);

	counting->n++;
	return counting->next->emit(counting->next, rec, err);
}

int engines_collect(struct engines *engines, enum rec_group group,
		    const struct collect_target *targets, size_t n, struct rec_sink *sink,
		    struct err *err)
{
	struct counting_sink counting = { .sink.emit = count_and_emit, .next = sink };
	bool may_choose = engines->choice[group] == ENGINE_AUTO;

	if (!engines_use_bpf(engines, group))
		return engines->proc->ops->collect(engines->proc, group, targets, n, sink, err);
	engines->used_bpf[group] = true;
	int ret = engines->bpf->ops->collect(engines->bpf, group, targets, n, &counting.sink, err);
	/* What was said already would be said twice. */
	if (ret >= 0 || !may_choose || counting.n)
		return ret;
	log_debug("BPF engine: %s; using /proc", err->text);
	engines->used_bpf[group] = false;
	*err = ERR_INIT;
	return engines->proc->ops->collect(engines->proc, group, targets, n, sink, err);
}
