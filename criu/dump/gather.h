/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Gathering: records of any number of sources, checked as foreign input and put together by task.
 * What several sources say about one object completes each other.
 */
#ifndef CRIB_DUMP_GATHER_H
#define CRIB_DUMP_GATHER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/hashmap.h"
#include "collect/source.h"

struct gathered_thread {
	pid_t tid;
	const __u32 *cpu_words, *groups; /* rec.nr_cpu_words and rec.nr_groups of them */
	struct rec_thread rec; /* merged; rec.hdr.valid is the union. Last: it has a tail */
};

struct gathered_task {
	pid_t pid;
	struct rec_task rec;             /* merged */
	const struct rec_limits *limits; /* NULL: nobody said */
	const struct rec_sigactions *sigactions;
	const struct rec_itimers *itimers;
	ARRAY(struct rec_ptimer *) ptimers; /* merged by id */
	const struct rec_path *path[REC_PATH_EXE + 1];
	const __u64 *auxv;                       /* mm.nr_auxv words */
	ARRAY(const struct rec_vma *) vmas;      /* ascending */
	ARRAY(const struct rec_fd *) fds;        /* ascending */
	ARRAY(struct gathered_thread *) threads; /* in the order of their first record */
	struct rec_mm mm;                        /* merged. Last: it has a tail */
};

struct gather {
	struct rec_sink sink; /* what sources emit into */
	struct arena arena;
	ARRAY(struct gathered_task *) tasks;
	struct hashmap by_pid;    /* (0, pid): gathered_task */
	struct hashmap by_thread; /* (pid, tid): gathered_thread */
	uint64_t nr_records;
};

void gather_init(struct gather *gather);
void gather_fini(struct gather *gather);

/* NULL when no record named it. */
struct gathered_task *gather_find(const struct gather *gather, pid_t pid);
struct gathered_thread *gather_find_thread(const struct gather *gather, pid_t pid, pid_t tid);

/* For another pass over one group: forgets what was said of mappings or descriptors of @task. */
void gather_forget(struct gather *gather, struct gathered_task *task, enum rec_group group);

#endif /* CRIB_DUMP_GATHER_H */
