// SPDX-License-Identifier: GPL-2.0-only
/*
 * Choosing engines, see engine.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "collect/engine.h"

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

static bool is_chosen(const uint8_t choice[RG_MAX], enum engine_choice engine)
{
	return memchr(choice, engine, RG_MAX) != NULL;
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
	engines->bpf = bpf_source_new(&engines->setup, &engines->reason);
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

/* How many descriptors a process has, for which no file has to be opened; 0: not known. */
static uint64_t count_fds(pid_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0; /* since Linux 6.2 */
}

/* Loads the BPF engine for a tree that is large enough. */
static void load_if_it_pays(struct engines *engines, const struct collect_target *targets, size_t n)
{
	uint64_t saved = 0;

	if (!engines->may_load)
		return;
	engines->may_load = false;
	for (size_t i = 0; i < n && saved < LOADING; i++)
		saved += SAVED_BY_TASK + SAVED_BY_THREAD * targets[i].nr_tids +
			 SAVED_BY_FD * count_fds(targets[i].pid);
	if (saved < LOADING)
		return;
	engines->setup.if_ready = false;
	engines->bpf = bpf_source_new(&engines->setup, &engines->reason);
	engines->fell_back = !engines->bpf;
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

	if (may_choose)
		load_if_it_pays(engines, targets, n);
	if (engines->choice[group] == ENGINE_PROC || !engines->bpf)
		return engines->proc->ops->collect(engines->proc, group, targets, n, sink, err);
	int ret = engines->bpf->ops->collect(engines->bpf, group, targets, n, &counting.sink, err);
	/* What was said already would be said twice. */
	if (ret >= 0 || !may_choose || counting.n)
		return ret;
	log_debug("BPF engine: %s; using /proc", err->text);
	*err = ERR_INIT;
	return engines->proc->ops->collect(engines->proc, group, targets, n, sink, err);
}
