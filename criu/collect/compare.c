// SPDX-License-Identifier: GPL-2.0-only
/*
 * Comparing records, see compare.h.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "collect/compare.h"

enum how {
	EQUAL,     /* the same bytes */
	LINKS,     /* the same, but for those of a directory of /proc */
	PARTITION, /* the same objects have the same number */
	FLAGS,     /* of mappings; smaps of old kernels has no letters for MLOCK_ONFAULT */
	ACTIONS,   /* of signals; inside asks only for those that are caught or ignored */
	TICKS,     /* a time, of which the other has ticks of 100 Hz */
	TIMES,     /* 64-bit times, which go on while they are looked at */
	AT_MOST,   /* 0 is always right, 1 if the /proc engine says so too */
	AT_LEAST,  /* the /proc engine's 1 must not be 0; what the others have is a bound */
};

enum { TICK_NS = 10000000 }; /* USER_HZ is 100 on all of crib's machines */

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
	F(rec_task, start_time, RV_TASK_STAT, TICKS),
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

/* ---- Types and lists ---- */

const char *rec_type_name(enum rec_type type)
{
	return (unsigned int)type < REC_TYPE_MAX ? types[type].name : NULL;
}

enum rec_group rec_type_group(enum rec_type type)
{
	switch (type) {
	case REC_THREAD: return RG_THREAD;
	case REC_MM:
	case REC_VMA: return RG_MM;
	case REC_FD: return RG_FD;
	default: return RG_TASK;
	}
}

static int keep(struct rec_sink *sink, const struct rec_hdr *rec, struct err *err)
{
	struct rec_list *list = container_of(sink, struct rec_list, sink);

	*array_push(&list->arena, &list->v) = arena_memdup(&list->arena, rec, rec->len);
	return 0;
}

void rec_list_init(struct rec_list *list)
{
	*list = (struct rec_list){ .sink.emit = keep };
}

void rec_list_fini(struct rec_list *list)
{
	arena_fini(&list->arena);
}

/* ---- Order ---- */

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

void rec_describe(struct strbuf *buf, const struct rec_hdr *rec)
{
	strbuf_puts(buf, rec_type_name(rec->type));
	if (rec->tid != rec->pid)
		strbuf_printf(buf, " of thread %u", rec->tid);
	if (types[rec->type].key)
		strbuf_printf(buf, rec->type == REC_VMA ? " %" PRIx64 : " %" PRIu64, key_of(rec));
}

/* ---- Fields ---- */

static void differ(struct rec_compare *cmp, const struct rec_hdr *rec, const char *what,
		   const char *bpf, const char *other)
{
	cmp->differences++;
	cmp->differ(cmp, rec, what, bpf, other);
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
static bool same_part(struct rec_compare *cmp, uint32_t kind, uint64_t one, uint64_t other)
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

/* The other engine looked later, and a periodic timer may have begun anew; none stays none. */
static bool same_times(const struct rec_compare *cmp, const struct rec_hdr *rec, const char *a,
		       const char *b, size_t size)
{
	uint64_t slack = rec->type == REC_ITIMERS ? cmp->slack_ns / 1000 : cmp->slack_ns;
	uint64_t period =
		rec->type == REC_PTIMER ? ((const struct rec_ptimer *)rec)->interval_ns : 0;
	uint64_t one, other;

	for (size_t at = 0; at < size; at += sizeof(one)) {
		memcpy(&one, a + at, sizeof(one));
		memcpy(&other, b + at, sizeof(other));
		uint64_t apart = one > other ? one - other : other - one;

		if (period && apart <= period && period - apart < apart)
			apart = period - apart;
		if (!one != !other || apart > slack)
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

static bool same_field(struct rec_compare *cmp, const struct field *field,
		       const struct rec_hdr *one, const struct rec_hdr *other)
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
	case TIMES: return same_times(cmp, one, a, b, field->size);
	case TICKS:
		memcpy(&a_id, a, sizeof(a_id));
		memcpy(&b_id, b, sizeof(b_id));
		return a_id / TICK_NS == b_id / TICK_NS;
	case PARTITION:
		memcpy(&a_id, a, sizeof(a_id));
		memcpy(&b_id, b, sizeof(b_id));
		return cmp->no_identity ||
		       same_part(cmp, one->type << 16 | field->offset, a_id, b_id);
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

static void compare_tails(struct rec_compare *cmp, const struct rec_hdr *one,
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

static void compare_records(struct rec_compare *cmp, const struct rec_hdr *one,
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
static bool only_bpf_can(const struct rec_compare *cmp, const struct rec_hdr *rec)
{
	return cmp->no_actions && (rec->type == REC_SIGACTIONS || rec->type == REC_ITIMERS);
}

void rec_compare_init(struct rec_compare *compare)
{
	*compare = (struct rec_compare){ 0 };
}

void rec_compare_fini(struct rec_compare *compare)
{
	hashmap_fini(&compare->forth);
	hashmap_fini(&compare->back);
	arena_fini(&compare->arena);
}

static void sort_by_key(struct rec_list *list)
{
	if (list->v.n)
		qsort(list->v.v, list->v.n, sizeof(*list->v.v), compare_keys);
}

void rec_compare_lists(struct rec_compare *compare, struct rec_list *bpf, struct rec_list *other)
{
	size_t i = 0, j = 0;

	sort_by_key(bpf);
	sort_by_key(other);
	while (i < bpf->v.n || j < other->v.n) {
		int order = i == bpf->v.n   ? 1 :
			    j == other->v.n ? -1 :
					      compare_keys(&bpf->v.v[i], &other->v.v[j]);

		if (order == 0) {
			while (j < other->v.n && !compare_keys(&bpf->v.v[i], &other->v.v[j]))
				compare_records(compare, bpf->v.v[i], other->v.v[j++]);
			i++;
		} else if (order > 0) {
			differ(compare, other->v.v[j++], "record", "has none", "has it");
		} else if (only_bpf_can(compare, bpf->v.v[i])) {
			i++;
		} else {
			differ(compare, bpf->v.v[i++], "record", "has it", "has none");
		}
	}
}
