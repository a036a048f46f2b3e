// SPDX-License-Identifier: GPL-2.0-only
/*
 * Seccomp, see seccomp.h and seccomp(2).
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "target/compel_err.h"
#include "task/seccomp.h"

enum { MAX_CHAIN = 1024, MAX_INSNS = 4096 };

/* struct sock_fprog of a 64-bit task, with its filter behind it. */
struct remote_program {
	uint16_t len;
	uint16_t pad[3];
	uint64_t filter;
};

/* Flags that mean something when a filter is installed again. */
#define FLAGS_KEPT (SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW)

/* The filters of a thread, oldest first. */
struct chain {
	const SeccompFilter *filters[MAX_CHAIN];
	size_t n;
};

static bool is_equal(const SeccompFilter *a, const SeccompFilter *b)
{
	return a->filter.len == b->filter.len && a->flags == b->flags &&
	       !memcmp(a->filter.data, b->filter.data, a->filter.len);
}

/* Whether the entries from @at on are @chain, no more and no less. */
static bool is_chain_at(const SeccompEntry *all, size_t at, const struct chain *chain)
{
	for (size_t i = 0; i < chain->n; i++) {
		const SeccompFilter *filter = all->seccomp_filters[at];

		if (!is_equal(filter, chain->filters[i]) || filter->has_prev != (i + 1 < chain->n))
			return false;
		at = filter->prev;
	}
	return true;
}

/* Behind one another, newest first: each but the first is before the one in front of it. */
static void append_chain(struct snapshot *snap, const struct chain *chain)
{
	SeccompEntry *all = snap->seccomp;
	size_t n = all->n_seccomp_filters;
	SeccompFilter **bigger = ARENA_ARRAY(&snap->arena, SeccompFilter *, n + chain->n);

	if (n)
		memcpy(bigger, all->seccomp_filters, n * sizeof(*bigger));
	for (size_t i = 0; i < chain->n; i++) {
		SeccompFilter *filter = SNAP_MSG(snap, SeccompFilter, seccomp_filter);

		*filter = *chain->filters[chain->n - 1 - i];
		filter->has_prev = i > 0;
		filter->prev = i ? (uint32_t)(n + i - 1) : 0;
		bigger[n + i] = filter;
	}
	all->seccomp_filters = bigger;
	all->n_seccomp_filters = n + chain->n;
}

/* The index of the oldest filter of @chain, which is added if no other thread had the same. */
static uint32_t find_or_add(struct snapshot *snap, const struct chain *chain)
{
	SeccompEntry *all = snap->seccomp;

	for (size_t i = 0; i < all->n_seccomp_filters; i++)
		if (is_chain_at(all, i, chain))
			return (uint32_t)i;
	append_chain(snap, chain);
	return (uint32_t)all->n_seccomp_filters - 1;
}

/* The kernel counts from the oldest one. */
static int read_filters(struct snapshot *snap, pid_t tid, struct chain *chain, struct err *err)
{
	for (chain->n = 0; chain->n < MAX_CHAIN; chain->n++) {
		_cleanup_free_ struct compel_bpf_insn *insns = NULL;
		struct compel_error cerr = { 0 };
		uint64_t flags = 0;
		int len = compel_seccomp_get_filter(tid, (unsigned int)chain->n, &insns, &flags,
						    &cerr);

		if (len == -ENOENT)
			break;
		if (len < 0)
			return err_compel(err, len, &cerr);
		SeccompFilter *filter = SNAP_MSG(snap, SeccompFilter, seccomp_filter);
		filter->filter.len = (size_t)len * sizeof(*insns);
		filter->filter.data = arena_memdup(&snap->arena, insns, filter->filter.len);
		filter->has_flags = true;
		filter->flags = (uint32_t)flags;
		chain->filters[chain->n] = filter;
	}
	return 0;
}

int seccomp_extract(struct snapshot *snap, struct thread *thread, struct err *err)
{
	ThreadCoreEntry *core = thread->core->thread_core;
	struct chain chain;

	if (core->seccomp_mode != SECCOMP_MODE__filter)
		return 0;
	if (!snap->seccomp)
		snap->seccomp = SNAP_MSG(snap, SeccompEntry, seccomp_entry);
	int ret = read_filters(snap, thread->tid, &chain, err);
	if (ret < 0)
		return ret;
	core->has_seccomp_filter = chain.n > 0;
	core->seccomp_filter = chain.n ? find_or_add(snap, &chain) : 0;
	return 0;
}

static int read_chain(const struct snapshot *snap, const struct thread *thread, struct chain *chain,
		      struct err *err)
{
	const ThreadCoreEntry *core = thread->core->thread_core;
	uint32_t at = core->seccomp_filter;

	for (chain->n = 0;;) {
		if (!snap->seccomp || at >= snap->seccomp->n_seccomp_filters ||
		    chain->n == MAX_CHAIN)
			return err_set(err, -EBADMSG, "seccomp filter %u is not in the image", at);
		const SeccompFilter *filter = snap->seccomp->seccomp_filters[at];
		if (filter->filter.len / sizeof(struct compel_bpf_insn) > MAX_INSNS)
			return err_set(err, -EBADMSG, "seccomp filter %u has %zu bytes", at,
				       filter->filter.len);
		chain->filters[chain->n++] = filter;
		if (!filter->has_prev)
			return 0;
		at = filter->prev;
	}
}

bool seccomp_has_filters(const struct thread *thread)
{
	const ThreadCoreEntry *core = thread->core ? thread->core->thread_core : NULL;

	return core && core->has_seccomp_mode && core->seccomp_mode == SECCOMP_MODE__filter;
}

int seccomp_count_filters(const struct snapshot *snap, const struct thread *thread, size_t *ret_n,
			  struct err *err)
{
	struct chain chain = { .n = 0 };
	int ret = seccomp_has_filters(thread) ? read_chain(snap, thread, &chain, err) : 0;

	*ret_n = chain.n;
	return ret;
}

int seccomp_count_common(const struct snapshot *snap, const struct task *task, size_t *ret_n,
			 struct err *err)
{
	struct chain common, chain;

	*ret_n = 0;
	array_each(const struct thread, thread, &task->threads) {
		if (!seccomp_has_filters(thread))
			return 0;
		bool first = thread == task->threads.v;
		int ret = read_chain(snap, thread, first ? &common : &chain, err);
		size_t n = 0;

		if (ret < 0)
			return ret;
		while (!first && n < common.n && n < chain.n &&
		       is_equal(common.filters[n], chain.filters[n]))
			n++;
		common.n = first ? common.n : n;
	}
	*ret_n = common.n;
	return 0;
}

size_t seccomp_scratch_size(const struct snapshot *snap)
{
	return ALIGN_UP(sizeof(struct remote_program) + MAX_INSNS * sizeof(struct compel_bpf_insn),
			(size_t)snap->page_size);
}

/* seccomp(2) of a filter; with TSYNC it may return the thread that keeps it from being installed. */
static int remote_filter(struct compel_task *task, uint64_t flags, uint64_t program,
			 struct err *err)
{
	const uint64_t args[6] = { SECCOMP_SET_MODE_FILTER, flags, program };
	struct compel_error cerr = { 0 };
	int64_t val = 0;
	int ret = compel_syscall(task, SYS_seccomp, args, &val, &cerr);

	if (ret < 0)
		return err_compel(err, ret, &cerr);
	if (val > 0)
		return err_set(err, -EBUSY, "seccomp: thread %d has filters already", (int)val);
	if (val == -EACCES)
		return err_set(err, -EACCES,
			       "seccomp: not permitted; a filter needs CAP_SYS_ADMIN, run crib "
			       "as root");
	return val < 0 ? err_ret(err, (int)val, "seccomp") : 0;
}

static int install(const SeccompFilter *filter, uint32_t more_flags, struct compel_task *task,
		   const struct compel_scratch *scratch, struct err *err)
{
	uint32_t flags = (filter->has_flags ? filter->flags : 0) & FLAGS_KEPT;
	struct remote_program program = {
		.len = (uint16_t)(filter->filter.len / sizeof(struct compel_bpf_insn)),
		.filter = scratch->addr + sizeof(program),
	};
	struct compel_error cerr = { 0 };
	int ret = compel_mem_write(task->tid, scratch->addr, &program, sizeof(program), &cerr);

	if (ret == 0)
		ret = compel_mem_write(task->tid, program.filter, filter->filter.data,
				       filter->filter.len, &cerr);
	if (ret < 0)
		return err_compel(err, ret, &cerr);
	return remote_filter(task, flags | more_flags, scratch->addr, err);
}

int seccomp_install(const struct snapshot *snap, const struct seccomp_part *part,
		    struct compel_task *task, const struct compel_scratch *scratch, struct err *err)
{
	uint32_t flags = part->all_threads ? SECCOMP_FILTER_FLAG_TSYNC : 0;
	struct chain chain;
	int ret = read_chain(snap, part->thread, &chain, err);

	for (size_t i = part->first; i < chain.n && i < part->end && ret == 0; i++)
		ret = err_wrap(err, install(chain.filters[i], flags, task, scratch, err),
			       "filter %zu", i);
	return ret;
}

int seccomp_apply_strict(const struct thread *thread, struct compel_task *task, struct err *err)
{
	const uint64_t args[6] = { PR_SET_SECCOMP, SECCOMP_MODE_STRICT };
	const ThreadCoreEntry *core = thread->core->thread_core;
	struct compel_error cerr = { 0 };
	int64_t val = 0;

	if (!core->has_seccomp_mode || core->seccomp_mode != SECCOMP_MODE__strict)
		return 0;
	int ret = compel_syscall(task, SYS_prctl, args, &val, &cerr);
	if (ret < 0)
		return err_compel(err, ret, &cerr);
	return val < 0 ? err_ret(err, (int)val, "prctl PR_SET_SECCOMP") : 0;
}
