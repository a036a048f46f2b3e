/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The /proc engine inside: one run over some processes, and what its files share.
 */
#ifndef CRIB_COLLECT_PROC_PROC_H
#define CRIB_COLLECT_PROC_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/err.h"
#include "base/hashmap.h"
#include "base/strbuf.h"
#include "collect/proc/parse.h"
#include "collect/source.h"

struct proc_source {
	struct source source;
	uint64_t next_id; /* of what tasks share: never given twice */
	bool has_kcmp;
};

/* One call of collect(). */
struct proc_run {
	struct proc_source *source;
	struct rec_sink *sink;
	struct err *err;
	struct strbuf text; /* the file read last */
	struct strbuf tail; /* of the record that is being made */
	struct strbuf rec;
	struct arena arena; /* ends with the run */
	struct proc_mount_ids own_mounts;
	bool have_own_mounts;
};

/* The process that is being read. */
struct proc_task {
	struct proc_run *run;
	const struct collect_target *target;
	pid_t pid;
	int dirfd;                    /* of /proc/PID: it cannot become another process's */
	struct proc_mount_ids mounts; /* of its own mount namespace */
	bool have_mounts;
};

/* Opens /proc/PID of @target. */
int proc_task_open(struct proc_task *task, struct proc_run *run,
		   const struct collect_target *target);
void proc_task_close(struct proc_task *task);

/*
 * Reads file @name of /proc/PID into run->text. 0 or -errno, described; with @optional a file that
 * the kernel has not got is -ENOENT and not described.
 */
int proc_read(struct proc_task *task, const char *name, bool optional);

/*
 * Emits a record: the @size bytes at @hdr (type, pid, tid and valid are set) and @tail_len bytes
 * behind them. Sets the length.
 */
int proc_emit(struct proc_run *run, struct rec_hdr *hdr, size_t size, const void *tail,
	      size_t tail_len);

/* The groups: one process each. */
int proc_collect_thread(struct proc_task *task);
int proc_collect_mm(struct proc_task *task);

/* The groups in which processes are compared with one another. */
int proc_collect_tasks(struct proc_run *run, const struct collect_target *targets, size_t n);
int proc_collect_fds(struct proc_run *run, const struct collect_target *targets, size_t n);

/* ---- path.c ---- */

enum { PROC_PATH_MAX = 4096 }; /* with the NUL; what the kernel prints is shorter */

/* A file as a link of /proc leads to it, and what is known under its printed name. */
struct proc_file {
	uint64_t dev, rdev, ino, size, mtime_ns;
	uint32_t mode, nlink;
	int32_t mnt_id;      /* -1: not known */
	uint32_t file_flags; /* REC_FILE_* */
	size_t path_len;
	char path[PROC_PATH_MAX];
};

/* What lies behind link @link of /proc/PID. 0; -ENOENT and -EPERM are not described. */
int proc_stat_link(struct proc_task *task, const char *link, struct proc_file *ret_file);

/* Reads the printed name. 0; -ENOENT is not described. */
int proc_read_link(struct proc_task *task, const char *link, struct proc_file *file);

/*
 * Finds out whether the printed name still leads to the file, and where not takes " (deleted)" off;
 * and whether it lies below crib's root. Sets file_flags.
 */
int proc_judge_path(struct proc_task *task, struct proc_file *file);

/* ---- identity.c ---- */

/* Known objects of one kind, ascending in the order that kcmp(2) gives. */
struct proc_identity {
	struct proc_known *v;
	size_t n, cap;
};

/* Whether kcmp(2) can be used. */
bool proc_probe_kcmp(void);

/*
 * The number of the object that @pid has in place @idx (KCMP_FILE: a descriptor, else 0), the same
 * for the same object. Without kcmp(2) every object gets a number of its own. 0 or -errno.
 */
int proc_identify(struct proc_run *run, struct proc_identity *known, int type, pid_t pid,
		  uint32_t idx, uint64_t *ret_id);

/* ---- sem.c ---- */

struct proc_sem_user {
	pid_t pid; /* in crib's pid namespace */
	int set;
};

/* What is known of semaphores and of the lists of their undos. */
struct proc_sem {
	struct proc_identity lists;
	bool looked;
	ARRAY(struct proc_sem_user) users; /* who used each semaphore last; in the run's arena */
};

/* Fills sysvsem_id, sem_undo and sem_set, which are 0 before. 0 or -errno. */
int proc_sem_identify(struct proc_task *task, struct proc_sem *sem, struct rec_task *rec);

#endif /* CRIB_COLLECT_PROC_PROC_H */
