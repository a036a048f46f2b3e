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

/* The entry of an equal filter on top of the same chain, or a new one. */
static uint32_t find_or_add(struct snapshot *snap, const void *insns, size_t size, uint32_t flags,
			    bool has_prev, uint32_t prev)
{
	SeccompEntry *all = snap->seccomp;

	for (size_t i = 0; i < all->n_seccomp_filters; i++) {
		const SeccompFilter *have = all->seccomp_filters[i];

		if (have->filter.len == size && !memcmp(have->filter.data, insns, size) &&
		    have->flags == flags && have->has_prev == has_prev &&
		    (!has_prev || have->prev == prev))
			return (uint32_t)i;
	}
	SeccompFilter *filter = SNAP_MSG(snap, SeccompFilter, seccomp_filter);
	filter->filter.len = size;
	filter->filter.data = arena_memdup(&snap->arena, insns, size);
	filter->has_flags = true;
	filter->flags = flags;
	filter->has_prev = has_prev;
	filter->prev = prev;
	SeccompFilter **bigger =
		ARENA_ARRAY(&snap->arena, SeccompFilter *, all->n_seccomp_filters + 1);
	if (all->n_seccomp_filters)
		memcpy(bigger, all->seccomp_filters, all->n_seccomp_filters * sizeof(*bigger));
	bigger[all->n_seccomp_filters] = filter;
	all->seccomp_filters = bigger;
	return (uint32_t)all->n_seccomp_filters++;
}

int seccomp_extract(struct snapshot *snap, struct thread *thread, struct err *err)
{
	ThreadCoreEntry *core = thread->core->thread_core;
	uint32_t last = 0;
	int n = 0;

	if (core->seccomp_mode != SECCOMP_MODE__filter)
		return 0;
	if (!snap->seccomp)
		snap->seccomp = SNAP_MSG(snap, SeccompEntry, seccomp_entry);
	for (; n < MAX_CHAIN; n++) {
		_cleanup_free_ struct compel_bpf_insn *insns = NULL;
		struct compel_error cerr = { 0 };
		uint64_t flags = 0;
		int len = compel_seccomp_get_filter(thread->tid, (unsigned int)n, &insns, &flags,
						    &cerr);

		if (len == -ENOENT)
			break;
		if (len < 0)
			return err_compel(err, len, &cerr);
		last = find_or_add(snap, insns, (size_t)len * sizeof(*insns), (uint32_t)flags,
				   n > 0, last);
	}
	core->has_seccomp_filter = n > 0;
	core->seccomp_filter = last;
	return 0;
}

/* The chain of a thread, oldest first. Returns its length, or -EBADMSG. */
static int read_chain(const struct snapshot *snap, const struct thread *thread,
		      const SeccompFilter **chain, struct err *err)
{
	const ThreadCoreEntry *core = thread->core->thread_core;
	uint32_t at = core->seccomp_filter;
	int n = 0;

	for (;;) {
		if (!snap->seccomp || at >= snap->seccomp->n_seccomp_filters || n == MAX_CHAIN)
			return err_set(err, -EBADMSG, "seccomp filter %u is not in the image", at);
		const SeccompFilter *filter = snap->seccomp->seccomp_filters[at];
		if (filter->filter.len / sizeof(struct compel_bpf_insn) > MAX_INSNS)
			return err_set(err, -EBADMSG, "seccomp filter %u has %zu bytes", at,
				       filter->filter.len);
		chain[n++] = filter;
		if (!filter->has_prev)
			break;
		at = filter->prev;
	}
	for (int i = 0; i < n / 2; i++) {
		const SeccompFilter *other = chain[i];

		chain[i] = chain[n - 1 - i];
		chain[n - 1 - i] = other;
	}
	return n;
}

size_t seccomp_scratch_size(const struct snapshot *snap, const struct thread *thread)
{
	if (thread->core->thread_core->seccomp_mode != SECCOMP_MODE__filter)
		return snap->page_size;
	return ALIGN_UP(sizeof(struct remote_program) +
				MAX_INSNS * sizeof(struct compel_bpf_insn),
			(size_t)snap->page_size);
}

static int remote_call(struct compel_task *task, long nr, uint64_t a, uint64_t b, uint64_t c,
		       struct err *err)
{
	const uint64_t args[6] = { a, b, c };
	struct compel_error cerr = { 0 };
	int64_t val = 0;
	int ret = compel_syscall(task, nr, args, &val, &cerr);

	if (ret < 0)
		return err_compel(err, ret, &cerr);
	return val < 0 ? err_ret(err, (int)val, "seccomp") : 0;
}

static int install(const SeccompFilter *filter, struct compel_task *task,
		   const struct compel_scratch *scratch, struct err *err)
{
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
	return remote_call(task, SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			   (filter->has_flags ? filter->flags : 0) & FLAGS_KEPT, scratch->addr,
			   err);
}

int seccomp_apply(const struct snapshot *snap, const struct thread *thread,
		  struct compel_task *task, const struct compel_scratch *scratch, struct err *err)
{
	const ThreadCoreEntry *core = thread->core->thread_core;
	const SeccompFilter *chain[MAX_CHAIN];

	if (!core->has_seccomp_mode || core->seccomp_mode == SECCOMP_MODE__disabled)
		return 0;
	if (core->seccomp_mode == SECCOMP_MODE__strict)
		return remote_call(task, SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, err);
	int n = read_chain(snap, thread, chain, err);
	int ret = n < 0 ? n : 0;
	for (int i = 0; i < n && ret == 0; i++)
		ret = install(chain[i], task, scratch, err);
	return ret;
}
