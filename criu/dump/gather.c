// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gathering of records, see gather.h. Nothing in a record is trusted: sizes, counts, numbers and
 * order are checked before use.
 */
#include <errno.h>
#include <string.h>

#include "dump/gather.h"

enum {
	MAX_TASKS = 1 << 22,
	MAX_CPU_WORDS = 1024,
	MAX_GROUPS = 65536,
	MAX_AUXV = 256,
	MAX_PATH = 64 * 1024,
};

/* Which bytes of a record belong to which RV_ bit. */
struct field_group {
	__u64 bit;
	__u32 from, to;
};

#define GROUP(bit, type, first, last)                                                              \
	{                                                                                          \
		bit, __builtin_offsetof(type, first),                                              \
			__builtin_offsetof(type, last) + sizeof(((type *)0)->last)                 \
	}

static const struct field_group task_groups[] = {
	GROUP(RV_TASK_STAT, struct rec_task, ppid, tty_pgrp),
	GROUP(RV_TASK_STAT, struct rec_task, start_time, start_time),
	GROUP(RV_TASK_STAT, struct rec_task, comm, comm),
	GROUP(RV_TASK_STATUS, struct rec_task, umask, umask),
	GROUP(RV_TASK_PERSONA, struct rec_task, personality, personality),
	GROUP(RV_TASK_OOM, struct rec_task, oom_score_adj, oom_score_adj),
	GROUP(RV_TASK_DUMPABLE, struct rec_task, dumpable, dumpable),
	GROUP(RV_TASK_SUBREAPER, struct rec_task, child_subreaper, child_subreaper),
	GROUP(RV_TASK_THP, struct rec_task, thp_disabled, thp_disabled),
	GROUP(RV_TASK_MEMBARRIER, struct rec_task, membarrier, membarrier),
	GROUP(RV_TASK_SHARED, struct rec_task, mm_id, sysvsem_id),
	GROUP(RV_TASK_SHARED, struct rec_task, sem_undo, sem_set),
	GROUP(RV_TASK_NS, struct rec_task, ns, ns),
	{ 0 },
};

static const struct field_group thread_groups[] = {
	GROUP(RV_THREAD_STAT, struct rec_thread, comm, state),
	GROUP(RV_THREAD_SCHED, struct rec_thread, sched_policy, sched_period),
	GROUP(RV_THREAD_SLACK, struct rec_thread, timerslack_ns, timerslack_ns),
	GROUP(RV_THREAD_CREDS, struct rec_thread, uid, cap_amb),
	GROUP(RV_THREAD_SECUREBITS, struct rec_thread, securebits, securebits),
	GROUP(RV_THREAD_SECCOMP, struct rec_thread, no_new_privs, seccomp_filters),
	GROUP(RV_THREAD_ROBUST, struct rec_thread, robust_list, robust_list_len),
	GROUP(RV_THREAD_SAS, struct rec_thread, sas_flags, sas_size),
	GROUP(RV_THREAD_CTID, struct rec_thread, clear_child_tid, clear_child_tid),
	GROUP(RV_THREAD_PDEATH, struct rec_thread, pdeath_sig, pdeath_sig),
	GROUP(RV_THREAD_RESTART, struct rec_thread, restart_remaining_ns, restart_remaining_ns),
	{ 0 },
};

static const struct field_group mm_groups[] = {
	GROUP(RV_MM_LAYOUT, struct rec_mm, start_code, start_brk),
	GROUP(RV_MM_LAYOUT, struct rec_mm, arg_start, env_end),
	GROUP(RV_MM_BRK, struct rec_mm, brk, brk),
	GROUP(RV_MM_COUNT, struct rec_mm, map_count, map_count),
	{ 0 },
};

/* Takes over the groups that @into has not got yet. */
static void merge(const struct field_group *groups, struct rec_hdr *into,
		  const struct rec_hdr *from)
{
	__u64 news = from->valid & ~into->valid;

	for (; groups->bit; groups++)
		if (news & groups->bit)
			memcpy((char *)into + groups->from, (const char *)from + groups->from,
			       groups->to - groups->from);
	into->valid |= news;
}

static int bad(struct err *err, const struct rec_hdr *rec, const char *what)
{
	return err_set(err, -EBADMSG, "record of type %u for task %u: %s", rec->type, rec->pid,
		       what);
}

struct gathered_task *gather_find(const struct gather *gather, pid_t pid)
{
	return hashmap_get(&gather->by_pid, 0, (uint64_t)pid);
}

struct gathered_thread *gather_find_thread(const struct gather *gather, pid_t pid, pid_t tid)
{
	return hashmap_get(&gather->by_thread, (uint64_t)pid, (uint64_t)tid);
}

static struct gathered_task *find_or_add_task(struct gather *gather, pid_t pid)
{
	struct gathered_task *task = gather_find(gather, pid);

	if (task)
		return task;
	task = ARENA_NEW(&gather->arena, struct gathered_task);
	task->pid = pid;
	*array_push(&gather->arena, &gather->tasks) = task;
	hashmap_put(&gather->by_pid, 0, (uint64_t)pid, task);
	return task;
}

static struct gathered_thread *find_or_add_thread(struct gather *gather, struct gathered_task *task,
						  pid_t tid)
{
	struct gathered_thread *thread = gather_find_thread(gather, task->pid, tid);

	if (thread)
		return thread;
	thread = ARENA_NEW(&gather->arena, struct gathered_thread);
	thread->tid = tid;
	*array_push(&gather->arena, &task->threads) = thread;
	hashmap_put(&gather->by_thread, (uint64_t)task->pid, (uint64_t)tid, thread);
	return thread;
}

static int take_thread(struct gather *gather, struct gathered_task *task, const struct rec_hdr *hdr,
		       struct err *err)
{
	const struct rec_thread *rec = (const void *)hdr;
	struct gathered_thread *thread = find_or_add_thread(gather, task, (pid_t)hdr->tid);

	if (rec->nr_cpu_words > MAX_CPU_WORDS || rec->nr_groups > MAX_GROUPS ||
	    sizeof(*rec) + 4ULL * (rec->nr_cpu_words + rec->nr_groups) > hdr->len)
		return bad(err, hdr, "counts exceed the record");
	__u64 news = hdr->valid & ~thread->rec.hdr.valid;
	if (news & RV_THREAD_AFFINITY) {
		thread->rec.nr_cpu_words = rec->nr_cpu_words;
		thread->cpu_words = arena_memdup(&gather->arena, rec->tail, 4 * rec->nr_cpu_words);
	}
	if (news & RV_THREAD_CREDS) {
		thread->rec.nr_groups = rec->nr_groups;
		thread->groups = arena_memdup(&gather->arena, rec->tail + rec->nr_cpu_words,
					      4 * rec->nr_groups);
	}
	merge(thread_groups, &thread->rec.hdr, hdr);
	return 0;
}

static int take_mm(struct gather *gather, struct gathered_task *task, const struct rec_hdr *hdr,
		   struct err *err)
{
	const struct rec_mm *rec = (const void *)hdr;

	if (rec->nr_auxv > MAX_AUXV || sizeof(*rec) + 8ULL * rec->nr_auxv > hdr->len)
		return bad(err, hdr, "auxv exceeds the record");
	if (hdr->valid & ~task->mm.hdr.valid & RV_MM_AUXV) {
		task->mm.nr_auxv = rec->nr_auxv;
		task->auxv = arena_memdup(&gather->arena, rec->auxv, 8 * rec->nr_auxv);
	}
	merge(mm_groups, &task->mm.hdr, hdr);
	return 0;
}

static int take_vma(struct gather *gather, struct gathered_task *task, const struct rec_hdr *hdr,
		    struct err *err)
{
	const struct rec_vma *rec = (const void *)hdr;
	const struct rec_vma *last = task->vmas.n ? task->vmas.v[task->vmas.n - 1] : NULL;

	if (rec->name_len > MAX_PATH || sizeof(*rec) + (__u64)rec->name_len > hdr->len)
		return bad(err, hdr, "name exceeds the record");
	if (rec->start >= rec->end || (last && rec->start < last->end))
		return bad(err, hdr, "mappings overlap or do not ascend");
	*array_push(&gather->arena, &task->vmas) = arena_memdup(&gather->arena, rec, hdr->len);
	return 0;
}

static int take_fd(struct gather *gather, struct gathered_task *task, const struct rec_hdr *hdr,
		   struct err *err)
{
	const struct rec_fd *rec = (const void *)hdr;
	const struct rec_fd *last = task->fds.n ? task->fds.v[task->fds.n - 1] : NULL;

	if (rec->path_len > MAX_PATH || sizeof(*rec) + (__u64)rec->path_len > hdr->len)
		return bad(err, hdr, "path exceeds the record");
	if (rec->fd > INT32_MAX || (last && rec->fd <= last->fd))
		return bad(err, hdr, "descriptors do not ascend");
	*array_push(&gather->arena, &task->fds) = arena_memdup(&gather->arena, rec, hdr->len);
	return 0;
}

static int take_path(struct gather *gather, struct gathered_task *task, const struct rec_hdr *hdr,
		     struct err *err)
{
	const struct rec_path *rec = (const void *)hdr;

	if (rec->path_len > MAX_PATH || sizeof(*rec) + (__u64)rec->path_len > hdr->len)
		return bad(err, hdr, "path exceeds the record");
	if (rec->which < REC_PATH_CWD || rec->which > REC_PATH_EXE)
		return bad(err, hdr, "path of an unknown kind");
	if (!task->path[rec->which])
		task->path[rec->which] = arena_memdup(&gather->arena, rec, hdr->len);
	return 0;
}

/* The same timer by two sources: the second one knows what the first could not. */
static int take_ptimer(struct gather *gather, struct gathered_task *task, const struct rec_hdr *hdr)
{
	const struct rec_ptimer *rec = (const void *)hdr;

	for (size_t i = 0; i < task->ptimers.n; i++) {
		struct rec_ptimer *have = task->ptimers.v[i];

		if (have->id != rec->id)
			continue;
		if (hdr->valid & ~have->hdr.valid & RV_PTIMER_VALUE) {
			have->value_ns = rec->value_ns;
			have->interval_ns = rec->interval_ns;
			have->overrun = rec->overrun;
			have->hdr.valid |= RV_PTIMER_VALUE;
		}
		return 0;
	}
	*array_push(&gather->arena, &task->ptimers) =
		arena_memdup(&gather->arena, rec, sizeof(*rec));
	return 0;
}

static void *keep(struct gather *gather, const void *have, const struct rec_hdr *hdr)
{
	return have ? (void *)have : arena_memdup(&gather->arena, hdr, hdr->len);
}

static const __u32 record_size[REC_TYPE_MAX] = {
	[REC_TASK] = sizeof(struct rec_task),
	[REC_LIMITS] = sizeof(struct rec_limits),
	[REC_SIGACTIONS] = sizeof(struct rec_sigactions),
	[REC_ITIMERS] = sizeof(struct rec_itimers),
	[REC_PTIMER] = sizeof(struct rec_ptimer),
	[REC_PATH] = sizeof(struct rec_path),
	[REC_THREAD] = sizeof(struct rec_thread),
	[REC_MM] = sizeof(struct rec_mm),
	[REC_VMA] = sizeof(struct rec_vma),
	[REC_FD] = sizeof(struct rec_fd),
};

static int gather_emit(struct rec_sink *sink, const struct rec_hdr *hdr, struct err *err)
{
	struct gather *gather = container_of(sink, struct gather, sink);

	if (hdr->type == 0 || hdr->type >= REC_TYPE_MAX)
		return bad(err, hdr, "unknown type");
	if (hdr->len < record_size[hdr->type] || hdr->len % 8)
		return bad(err, hdr, "too short");
	if (hdr->pid == 0 || hdr->pid > MAX_TASKS || hdr->tid == 0 || hdr->tid > MAX_TASKS)
		return bad(err, hdr, "no such task number");
	gather->nr_records++;
	struct gathered_task *task = find_or_add_task(gather, (pid_t)hdr->pid);
	switch (hdr->type) {
	case REC_TASK: merge(task_groups, &task->rec.hdr, hdr); return 0;
	case REC_LIMITS: task->limits = keep(gather, task->limits, hdr); return 0;
	case REC_SIGACTIONS: task->sigactions = keep(gather, task->sigactions, hdr); return 0;
	case REC_ITIMERS: task->itimers = keep(gather, task->itimers, hdr); return 0;
	case REC_PTIMER: return take_ptimer(gather, task, hdr);
	case REC_PATH: return take_path(gather, task, hdr, err);
	case REC_THREAD: return take_thread(gather, task, hdr, err);
	case REC_MM: return take_mm(gather, task, hdr, err);
	case REC_VMA: return take_vma(gather, task, hdr, err);
	default: return take_fd(gather, task, hdr, err);
	}
}

void gather_init(struct gather *gather)
{
	*gather = (struct gather){ .sink.emit = gather_emit };
}

void gather_fini(struct gather *gather)
{
	hashmap_fini(&gather->by_pid);
	hashmap_fini(&gather->by_thread);
	arena_fini(&gather->arena);
}

void gather_forget(struct gather *gather, struct gathered_task *task, enum rec_group group)
{
	if (group == RG_MM)
		task->vmas.n = 0;
	else if (group == RG_FD)
		task->fds.n = 0;
}
