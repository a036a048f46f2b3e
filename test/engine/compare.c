// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezes a process tree, reads it with the BPF and with the /proc engine and compares what they
 * say, record for record, in every field that both of them filled.
 *
 *   compare [-b RUNS] [-i] PID
 *
 * With -i the processes are asked from inside too, for what the /proc engine cannot tell. Prints
 * differences and the times of collecting. Exit status 0: none; 1: some; 77: there is no BPF here,
 * or the tree cannot be frozen.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/hashmap.h"
#include "base/parse.h"
#include "collect/inside/inside.h"
#include "collect/source.h"
#include "target/freeze.h"

enum { BPF, PROC, ENGINES };

static const char *const group_names[RG_MAX] = { "tasks", "threads", "mm", "fds" };

enum how {
	EQUAL,     /* the same bytes */
	LINKS,     /* the same, but for those of a directory of /proc */
	PARTITION, /* the same objects have the same number */
	FLAGS,     /* of mappings; smaps of old kernels has no letters for MLOCK_ONFAULT */
	ACTIONS,   /* of signals; inside asks only for those that are caught or ignored */
	TIMES,     /* 64-bit times, which go on while they are looked at */
	AT_MOST,   /* 0 is always right, 1 if the /proc engine says so too */
	AT_LEAST,  /* the /proc engine's 1 must not be 0; what the others have is a bound */
};

struct field {
	const char *name;
	uint32_t offset, size;
	uint64_t valid; /* RV_* it belongs to, 0: always filled */
	enum how how;
};

#define F(type, member, bit, how)                                                                  \
	{                                                                                          \
#member, offsetof(struct type, member), sizeof(((struct type *)0)->member), bit,   \
			how                                                                        \
	}
#define EQ(type, member, bit) F(type, member, bit, EQUAL)

static const struct field task_fields[] = {
	EQ(rec_task, ppid, RV_TASK_STAT),
	EQ(rec_task, pgid, RV_TASK_STAT),
	EQ(rec_task, sid, RV_TASK_STAT),
	EQ(rec_task, nr_threads, RV_TASK_STAT),
	EQ(rec_task, state, RV_TASK_STAT),
	EQ(rec_task, exit_code, RV_TASK_STAT),
	EQ(rec_task, exit_signal, RV_TASK_STAT),
	EQ(rec_task, flags, RV_TASK_STAT),
	EQ(rec_task, tty_rdev, RV_TASK_STAT),
	EQ(rec_task, tty_pgrp, RV_TASK_STAT),
	EQ(rec_task, comm, RV_TASK_STAT),
	EQ(rec_task, umask, RV_TASK_STATUS),
	EQ(rec_task, personality, RV_TASK_PERSONA),
	EQ(rec_task, oom_score_adj, RV_TASK_OOM),
	EQ(rec_task, dumpable, RV_TASK_DUMPABLE),
	EQ(rec_task, child_subreaper, RV_TASK_SUBREAPER),
	EQ(rec_task, thp_disabled, RV_TASK_THP),
	EQ(rec_task, membarrier, RV_TASK_MEMBARRIER),
	F(rec_task, mm_id, RV_TASK_SHARED, PARTITION),
	F(rec_task, files_id, RV_TASK_SHARED, PARTITION),
	F(rec_task, fs_id, RV_TASK_SHARED, PARTITION),
	F(rec_task, sighand_id, RV_TASK_SHARED, PARTITION),
	F(rec_task, sysvsem_id, RV_TASK_SHARED, PARTITION),
	F(rec_task, sem_undo, RV_TASK_SHARED, AT_MOST), /* perhaps comes after some */
	EQ(rec_task, ns, RV_TASK_NS),
	{ 0 },
};

static const struct field limits_fields[] = { EQ(rec_limits, limit, 0), { 0 } };
static const struct field sigactions_fields[] = { F(rec_sigactions, action, 0, ACTIONS), { 0 } };
static const struct field itimers_fields[] = { F(rec_itimers, timer, 0, TIMES), { 0 } };

static const struct field ptimer_fields[] = {
	EQ(rec_ptimer, clock, 0),
	EQ(rec_ptimer, signo, 0),
	EQ(rec_ptimer, notify, 0),
	EQ(rec_ptimer, notify_tid, 0),
	EQ(rec_ptimer, sigval, 0),
	/* of a pending one the BPF engine counts what its signal will tell */
	F(rec_ptimer, overrun, RV_PTIMER_VALUE, AT_LEAST),
	EQ(rec_ptimer, interval_ns, RV_PTIMER_VALUE),
	F(rec_ptimer, value_ns, RV_PTIMER_VALUE, TIMES),
	{ 0 },
};

static const struct field path_fields[] = {
	EQ(rec_path, mode, 0),     EQ(rec_path, dev, 0),
	EQ(rec_path, ino, 0),      EQ(rec_path, nlink, 0),
	EQ(rec_path, mnt_id, 0),   EQ(rec_path, file_flags, 0),
	EQ(rec_path, path_len, 0), { 0 },
};

static const struct field thread_fields[] = {
	EQ(rec_thread, comm, RV_THREAD_STAT),
	EQ(rec_thread, state, RV_THREAD_STAT),
	EQ(rec_thread, sched_policy, RV_THREAD_SCHED),
	EQ(rec_thread, nice, RV_THREAD_SCHED),
	EQ(rec_thread, sched_prio, RV_THREAD_SCHED),
	EQ(rec_thread, sched_flags, RV_THREAD_SCHED),
	EQ(rec_thread, sched_runtime, RV_THREAD_SCHED),
	EQ(rec_thread, sched_deadline, RV_THREAD_SCHED),
	EQ(rec_thread, sched_period, RV_THREAD_SCHED),
	EQ(rec_thread, timerslack_ns, RV_THREAD_SLACK),
	EQ(rec_thread, uid, RV_THREAD_CREDS),
	EQ(rec_thread, euid, RV_THREAD_CREDS),
	EQ(rec_thread, suid, RV_THREAD_CREDS),
	EQ(rec_thread, fsuid, RV_THREAD_CREDS),
	EQ(rec_thread, gid, RV_THREAD_CREDS),
	EQ(rec_thread, egid, RV_THREAD_CREDS),
	EQ(rec_thread, sgid, RV_THREAD_CREDS),
	EQ(rec_thread, fsgid, RV_THREAD_CREDS),
	EQ(rec_thread, cap_inh, RV_THREAD_CREDS),
	EQ(rec_thread, cap_prm, RV_THREAD_CREDS),
	EQ(rec_thread, cap_eff, RV_THREAD_CREDS),
	EQ(rec_thread, cap_bnd, RV_THREAD_CREDS),
	EQ(rec_thread, cap_amb, RV_THREAD_CREDS),
	EQ(rec_thread, securebits, RV_THREAD_SECUREBITS),
	EQ(rec_thread, no_new_privs, RV_THREAD_SECCOMP),
	EQ(rec_thread, seccomp_mode, RV_THREAD_SECCOMP),
	EQ(rec_thread, seccomp_filters, RV_THREAD_SECCOMP),
	EQ(rec_thread, robust_list, RV_THREAD_ROBUST),
	EQ(rec_thread, robust_list_len, RV_THREAD_ROBUST),
	EQ(rec_thread, sas_flags, RV_THREAD_SAS),
	EQ(rec_thread, sas_sp, RV_THREAD_SAS),
	EQ(rec_thread, sas_size, RV_THREAD_SAS),
	EQ(rec_thread, clear_child_tid, RV_THREAD_CTID),
	EQ(rec_thread, pdeath_sig, RV_THREAD_PDEATH),
	EQ(rec_thread, nr_cpu_words, RV_THREAD_AFFINITY),
	EQ(rec_thread, nr_groups, RV_THREAD_CREDS),
	{ 0 },
};

static const struct field mm_fields[] = {
	EQ(rec_mm, start_code, RV_MM_LAYOUT),
	EQ(rec_mm, end_code, RV_MM_LAYOUT),
	EQ(rec_mm, start_data, RV_MM_LAYOUT),
	EQ(rec_mm, end_data, RV_MM_LAYOUT),
	EQ(rec_mm, start_stack, RV_MM_LAYOUT),
	EQ(rec_mm, start_brk, RV_MM_LAYOUT),
	EQ(rec_mm, brk, RV_MM_BRK),
	EQ(rec_mm, arg_start, RV_MM_LAYOUT),
	EQ(rec_mm, arg_end, RV_MM_LAYOUT),
	EQ(rec_mm, env_start, RV_MM_LAYOUT),
	EQ(rec_mm, env_end, RV_MM_LAYOUT),
	EQ(rec_mm, map_count, RV_MM_COUNT),
	EQ(rec_mm, nr_auxv, RV_MM_AUXV),
	{ 0 },
};

static const struct field vma_fields[] = {
	EQ(rec_vma, end, RV_VMA_RANGE),         EQ(rec_vma, offset, RV_VMA_RANGE),
	F(rec_vma, flags, RV_VMA_FLAGS, FLAGS), EQ(rec_vma, dev, RV_VMA_RANGE),
	EQ(rec_vma, ino, RV_VMA_RANGE),         EQ(rec_vma, special, RV_VMA_RANGE),
	EQ(rec_vma, file_flags, RV_VMA_RANGE),  F(rec_vma, populated, RV_VMA_RSS, AT_LEAST),
	EQ(rec_vma, name_len, RV_VMA_RANGE),    { 0 },
};

static const struct field fd_fields[] = {
	EQ(rec_fd, cloexec, RV_FD_FLAGS),     F(rec_fd, ofd_id, RV_FD_OFD, PARTITION),
	EQ(rec_fd, pos, RV_FD_FLAGS),         EQ(rec_fd, flags, RV_FD_FLAGS),
	EQ(rec_fd, mnt_id, RV_FD_FLAGS),      EQ(rec_fd, mode, RV_FD_INODE),
	F(rec_fd, nlink, RV_FD_INODE, LINKS), EQ(rec_fd, dev, RV_FD_INODE),
	EQ(rec_fd, rdev, RV_FD_INODE),        EQ(rec_fd, ino, RV_FD_INODE),
	EQ(rec_fd, size, RV_FD_INODE),        EQ(rec_fd, mtime_ns, RV_FD_INODE),
	EQ(rec_fd, file_flags, RV_FD_PATH),   EQ(rec_fd, path_len, RV_FD_PATH),
	F(rec_fd, unlocked, 0, AT_MOST),      { 0 },
};

#define TYPE(name, key_member)                                                                     \
	{                                                                                          \
#name, name##_fields, sizeof(struct rec_##name),                                   \
			offsetof(struct rec_##name, key_member)                                    \
	}
#define TYPE_ALONE(name)                                                                           \
	{                                                                                          \
#name, name##_fields, sizeof(struct rec_##name), 0                                 \
	}

static const struct record_type {
	const char *name;
	const struct field *fields;
	uint32_t size; /* without the tail, which is compared as it is */
	uint32_t key;  /* offset of what tells two of one task apart, 0: there is one */
} types[REC_TYPE_MAX] = {
	[REC_TASK] = TYPE_ALONE(task),
	[REC_LIMITS] = TYPE_ALONE(limits),
	[REC_SIGACTIONS] = TYPE_ALONE(sigactions),
	[REC_ITIMERS] = TYPE_ALONE(itimers),
	[REC_PTIMER] = TYPE(ptimer, id),
	[REC_PATH] = TYPE(path, which),
	[REC_THREAD] = TYPE_ALONE(thread),
	[REC_MM] = TYPE_ALONE(mm),
	[REC_VMA] = TYPE(vma, start),
	[REC_FD] = TYPE(fd, fd),
};

struct records {
	struct rec_sink sink;
	struct arena arena;
	ARRAY(const struct rec_hdr *) v;
	bool missing; /* the engine has none of this group */
	double ms;
};

struct compare {
	const struct frozen_tree *tree;
	const struct collect_target *targets;
	size_t nr_targets;
	bool inside;
	struct source *source[ENGINES];
	struct arena arena;
	struct hashmap forth, back; /* identities: (type and offset, one engine's): the other's */
	unsigned int differences, compared;
};

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int keep(struct rec_sink *sink, const struct rec_hdr *rec, struct err *err)
{
	struct records *records = container_of(sink, struct records, sink);

	*array_push(&records->arena, &records->v) = arena_memdup(&records->arena, rec, rec->len);
	return 0;
}

static int collect(struct compare *cmp, int engine, enum rec_group group, struct records *ret)
{
	struct source *source = cmp->source[engine];
	struct err err = ERR_INIT;

	*ret = (struct records){ .sink.emit = keep };
	double start = now_ms();
	int status = source->ops->collect(source, group, cmp->targets, cmp->nr_targets, &ret->sink,
					  &err);
	ret->ms = now_ms() - start;
	ret->missing = status == -ENOTSUP;
	if (status < 0 && !ret->missing) {
		printf("%s of %s: %s\n", source->ops->name, group_names[group], err.text);
		cmp->differences++;
	}
	return status;
}

/* ---- From inside ---- */

static void timer_ids(struct compare *cmp, const struct records *records, pid_t pid,
		      struct inside_need *need)
{
	uint32_t *ids = ARENA_ARRAY(&cmp->arena, uint32_t, records->v.n);

	need->timer_ids = ids;
	for (size_t i = 0; i < records->v.n; i++)
		if (records->v.v[i]->type == REC_PTIMER && records->v.v[i]->pid == (__u32)pid)
			ids[need->nr_timer_ids++] =
				((const struct rec_ptimer *)records->v.v[i])->id;
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
			timer_ids(cmp, records, cmp->tree->tasks.v[i]->pid, &need);
		} else if (group == RG_THREAD) {
			need.thread = INSIDE_THREAD;
		} else if (group == RG_MM) {
			need.mm = INSIDE_MM;
		}
		if (inside_collect(&need, 1, &records->sink, &err) < 0) {
			printf("inside task %d: %s\n", cmp->tree->tasks.v[i]->pid, err.text);
			cmp->differences++;
		}
	}
}

/* ---- Comparing ---- */

/* A key has 32 or 64 bits. */
static uint64_t key_of(const struct rec_hdr *rec)
{
	const struct record_type *type = &types[rec->type];
	uint64_t wide;
	uint32_t narrow;

	if (!type->key)
		return 0;
	if (rec->type == REC_VMA) {
		memcpy(&wide, (const char *)rec + type->key, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, (const char *)rec + type->key, sizeof(narrow));
	return narrow;
}

static int compare_keys(const void *a, const void *b)
{
	const struct rec_hdr *one = *(const struct rec_hdr *const *)a;
	const struct rec_hdr *other = *(const struct rec_hdr *const *)b;

	if (one->pid != other->pid)
		return one->pid < other->pid ? -1 : 1;
	if (one->type != other->type)
		return one->type < other->type ? -1 : 1;
	if (one->tid != other->tid)
		return one->tid < other->tid ? -1 : 1;
	uint64_t key = key_of(one), other_key = key_of(other);
	return key < other_key ? -1 : key > other_key;
}

static void differ(struct compare *cmp, const struct rec_hdr *rec, const char *what,
		   const char *bpf, const char *proc)
{
	cmp->differences++;
	printf("task %u: %s", rec->pid, types[rec->type].name);
	if (rec->tid != rec->pid)
		printf(" of thread %u", rec->tid);
	if (types[rec->type].key)
		printf(rec->type == REC_VMA ? " %" PRIx64 : " %" PRIu64, key_of(rec));
	printf(": %s: bpf %s, proc %s\n", what, bpf, proc);
}

static void print_bytes(char *text, size_t size, const void *bytes, size_t len)
{
	uint64_t number = 0;

	if (len <= sizeof(number)) {
		memcpy(&number, bytes, len);
		snprintf(text, size, "%" PRIu64 " (0x%" PRIx64 ")", number, number);
		return;
	}
	for (size_t i = 0; i < len && (i + 1) * 2 < size; i++)
		snprintf(text + 2 * i, size - 2 * i, "%02x", ((const uint8_t *)bytes)[i]);
}

/* What one engine gives one number the other must give one number. 0 stands for none in both. */
static bool same_part(struct compare *cmp, uint32_t kind, uint64_t one, uint64_t other)
{
	uint64_t *forth = hashmap_get(&cmp->forth, kind, one);
	uint64_t *back = hashmap_get(&cmp->back, kind, other);

	if (!one || !other)
		return one == other;
	if (forth || back)
		return forth && back && *forth == other && *back == one;
	forth = ARENA_ARRAY(&cmp->arena, uint64_t, 1);
	back = ARENA_ARRAY(&cmp->arena, uint64_t, 1);
	*forth = other;
	*back = one;
	hashmap_put(&cmp->forth, kind, one, forth);
	hashmap_put(&cmp->back, kind, other, back);
	return true;
}

/* The second engine looked later, by less than half a second; none stays none. */
static bool same_times(const struct rec_hdr *rec, const char *a, const char *b, size_t size)
{
	uint64_t slack = rec->type == REC_ITIMERS ? 500000 : 500000000, one, other;

	for (size_t at = 0; at < size; at += sizeof(one)) {
		memcpy(&one, a + at, sizeof(one));
		memcpy(&other, b + at, sizeof(other));
		if (!one != !other || (one > other ? one - other : other - one) > slack)
			return false;
	}
	return true;
}

static bool same_actions(const struct rec_sigactions *one, const struct rec_sigactions *other)
{
	static const __typeof__(one->action[0]) none;

	for (size_t i = 0; i < REC_NR_SIGNALS; i++) {
		if (!memcmp(&one->action[i], &other->action[i], sizeof(none)))
			continue;
		if (one->action[i].handler || memcmp(&other->action[i], &none, sizeof(none)))
			return false;
	}
	return true;
}

static bool same_field(struct compare *cmp, const struct field *field, const struct rec_hdr *one,
		       const struct rec_hdr *other)
{
	const char *a = (const char *)one + field->offset, *b = (const char *)other + field->offset;
	uint64_t a_id, b_id;

	switch (field->how) {
	case EQUAL: return !memcmp(a, b, field->size);
	case LINKS:
		/* those of /proc are as many as there are processes at the moment */
		return !memcmp(a, b, field->size) ||
		       !memcmp(((const struct rec_fd *)one)->path, "/proc", 5);
	case AT_MOST: return *(const uint32_t *)a <= *(const uint32_t *)b;
	case AT_LEAST:
		/* shared memory has no pages of its own, whatever smaps says of its swap */
		if (one->type == REC_VMA &&
		    (((const struct rec_vma *)one)->flags & REC_VMF(SHARED)))
			return true;
		return *(const uint32_t *)a >= *(const uint32_t *)b;
	case FLAGS:
		memcpy(&a_id, a, sizeof(a_id));
		memcpy(&b_id, b, sizeof(b_id));
		return a_id == b_id || a_id == (b_id | REC_VMF(LOCKONFAULT));
	case ACTIONS: return same_actions((const void *)one, (const void *)other);
	case TIMES: return same_times(one, a, b, field->size);
	case PARTITION:
		memcpy(&a_id, a, sizeof(a_id));
		memcpy(&b_id, b, sizeof(b_id));
		return same_part(cmp, one->type << 16 | field->offset, a_id, b_id);
	}
	return false;
}

/* What was asked inside comes without the tail of the other. */
static bool has_tail(const struct rec_hdr *rec)
{
	switch (rec->type) {
	case REC_THREAD: return rec->valid & RV_THREAD_AFFINITY;
	case REC_MM: return rec->valid & RV_MM_AUXV;
	default: return true;
	}
}

static void compare_tails(struct compare *cmp, const struct rec_hdr *one,
			  const struct rec_hdr *other)
{
	uint32_t size = types[one->type].size;
	char a[4200], b[4200];

	if (!has_tail(other))
		return;
	if (one->len == other->len &&
	    !memcmp((const char *)one + size, (const char *)other + size, one->len - size))
		return;
	if (one->type == REC_THREAD || one->type == REC_MM) {
		differ(cmp, one, "tail", "another", "another");
		return;
	}
	snprintf(a, sizeof(a), "'%.*s'", (int)(one->len - size), (const char *)one + size);
	snprintf(b, sizeof(b), "'%.*s'", (int)(other->len - size), (const char *)other + size);
	differ(cmp, one, "name", a, b);
}

static void compare_records(struct compare *cmp, const struct rec_hdr *one,
			    const struct rec_hdr *other)
{
	uint64_t both = one->valid & other->valid;
	char a[256], b[256];

	cmp->compared++;
	if (other->valid & ~one->valid) {
		print_bytes(a, sizeof(a), &one->valid, sizeof(one->valid));
		print_bytes(b, sizeof(b), &other->valid, sizeof(other->valid));
		differ(cmp, one, "valid groups", a, b);
	}
	for (const struct field *field = types[one->type].fields; field->name; field++) {
		if (field->valid && !(field->valid & both))
			continue;
		/* a timer's values from inside come without the rest */
		if (!field->valid && other->valid && one->type == REC_PTIMER)
			continue;
		if (same_field(cmp, field, one, other))
			continue;
		print_bytes(a, sizeof(a), (const char *)one + field->offset, field->size);
		print_bytes(b, sizeof(b), (const char *)other + field->offset, field->size);
		differ(cmp, one, field->name, a, b);
	}
	compare_tails(cmp, one, other);
}

/* Things that only the BPF engine sees are no difference; that one lacks a record is. */
static bool only_bpf_can(const struct compare *cmp, const struct rec_hdr *rec)
{
	return !cmp->inside && (rec->type == REC_SIGACTIONS || rec->type == REC_ITIMERS);
}

static void compare_all(struct compare *cmp, struct records *bpf, struct records *proc)
{
	size_t i = 0, j = 0;

	qsort(bpf->v.v, bpf->v.n, sizeof(*bpf->v.v), compare_keys);
	qsort(proc->v.v, proc->v.n, sizeof(*proc->v.v), compare_keys);
	while (i < bpf->v.n || j < proc->v.n) {
		int order = i == bpf->v.n  ? 1 :
			    j == proc->v.n ? -1 :
					     compare_keys(&bpf->v.v[i], &proc->v.v[j]);

		if (order == 0) {
			/* what several sources say is each compared with the one */
			while (j < proc->v.n && !compare_keys(&bpf->v.v[i], &proc->v.v[j]))
				compare_records(cmp, bpf->v.v[i], proc->v.v[j++]);
			i++;
		} else if (order > 0) {
			differ(cmp, proc->v.v[j++], "record", "has none", "has it");
		} else if (only_bpf_can(cmp, bpf->v.v[i])) {
			i++;
		} else {
			differ(cmp, bpf->v.v[i++], "record", "has it", "has none");
		}
	}
}

static void compare_group(struct compare *cmp, enum rec_group group, int runs)
{
	double best[ENGINES] = { 1e9, 1e9 };
	struct records records[ENGINES];

	for (int run = 0; run < runs; run++) {
		for (int engine = 0; engine < ENGINES; engine++) {
			collect(cmp, engine, group, &records[engine]);
			if (records[engine].ms < best[engine])
				best[engine] = records[engine].ms;
		}
		if (run == 0 && cmp->inside)
			ask_inside(cmp, group, &records[PROC]);
		if (run == 0 && records[BPF].missing)
			printf("%s: the BPF engine has none\n", group_names[group]);
		else if (run == 0)
			compare_all(cmp, &records[BPF], &records[PROC]);
		if (run == runs - 1)
			printf("%-8s bpf %7zu records %8.3f ms, proc %7zu records %8.3f ms, "
			       "ratio %.1f\n",
			       group_names[group], records[BPF].v.n, best[BPF], records[PROC].v.n,
			       best[PROC], best[PROC] / best[BPF]);
		arena_fini(&records[BPF].arena);
		arena_fini(&records[PROC].arena);
	}
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

static int run(pid_t pid, int runs, bool inside, struct err *err)
{
	struct compare cmp = { .inside = inside };
	struct frozen_tree tree;
	double start = now_ms();

	cmp.source[BPF] = bpf_source_new(&(struct bpf_setup){ 0 }, err);
	if (!cmp.source[BPF])
		return 77;
	printf("opened the BPF engine in %.3f ms\n", now_ms() - start);
	cmp.source[PROC] = proc_source_new(err);
	if (!cmp.source[PROC])
		return 2;
	if (freeze_tree(&tree, pid, &(struct freeze_opts){ 0 }, err) < 0)
		return 77; /* it is one that is refused */
	make_targets(&cmp, &tree);
	cmp.tree = &tree;
	for (enum rec_group group = 0; group < RG_MAX; group++)
		compare_group(&cmp, group, runs);
	int ret = thaw_tree(&tree, THAW_RUN, err);
	for (int engine = 0; engine < ENGINES; engine++)
		cmp.source[engine]->ops->free(cmp.source[engine]);
	hashmap_fini(&cmp.forth);
	hashmap_fini(&cmp.back);
	arena_fini(&cmp.arena);
	printf("%u records compared, %u differences\n", cmp.compared, cmp.differences);
	return ret < 0 ? 2 : cmp.differences != 0;
}

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	uint64_t pid, runs = 1;
	bool inside = false;
	int opt;

	while ((opt = getopt(argc, argv, "b:i")) != -1) {
		if (opt == 'i')
			inside = true;
		else if (opt != 'b' || parse_u64(optarg, 1000, &runs) < 0 || !runs)
			return 2;
	}
	if (optind + 1 != argc || parse_u64(argv[optind], INT32_MAX, &pid) < 0) {
		fprintf(stderr, "usage: compare [-b RUNS] [-i] PID\n");
		return 2;
	}
	int ret = run((pid_t)pid, (int)runs, inside, &err);
	if (err.code)
		fprintf(stderr, "compare: %s\n", err.text);
	return ret;
}
