/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF engine inside: the loaded programs, one run over some processes, and who turns what the
 * programs write into records.
 */
#ifndef CRIB_COLLECT_BPF_ENGINE_H
#define CRIB_COLLECT_BPF_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/array.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "collect/bpf/programs.h"
#include "collect/source.h"
#include "collect/verdict.h"
#include "crib/bpf_abi.h"

enum { BPF_HIGH_FLAGS = 3 };

struct bpf_source {
	struct source source;
	struct bpf_programs programs;
	struct verdict verdict;
	size_t max_bytes; /* of one target's records in one group */
	size_t page_size;
	/* What is found out about this kernel when it is needed. */
	bool knows_vsyscall, knows_high_flags, knows_thp;
	struct {
		uint64_t start, end; /* end 0: there is none */
		uint64_t flags;
	} vsyscall;
	uint64_t high_flag[BPF_HIGH_FLAGS];   /* of vm_flags, in the order of vmflags.c */
	uint64_t thp_off, thp_advised;        /* bits of mm->flags */
	uint32_t cpus[RAW_MAX_CPU_BYTES / 4]; /* that are there */
	uint32_t cpu_words;                   /* 0: not read yet */
};

/* A directory that a program sent. */
struct bpf_dir {
	const char *path; /* absolute, without a slash at the end: "" is the root */
	size_t len;
	uint32_t reach; /* enum raw_reach, 0: not sent yet */
};

/* One call of collect(). */
struct bpf_run {
	struct bpf_source *source;
	struct rec_sink *sink;
	struct err *err;
	enum rec_group group;
	const struct collect_target *const *targets; /* of the batch that runs */
	size_t nr_targets;
	struct arena arena;         /* ends with the run */
	ARRAY(struct bpf_dir) dirs; /* by number */
	/*
	 * Finished records that nobody got yet: a target's are handed on when its count is right.
	 * They are of the targets before @current and, behind @complete, of that one.
	 */
	struct strbuf out;
	size_t complete;
	uint32_t current;
	size_t last;        /* offset of the thread record that was put last */
	struct strbuf tail; /* of the record that is being made */
	uint32_t count;     /* objects of the current target so far */
	uint32_t nr_alive;  /* threads of it that have not ended */
	uint32_t retries;
	struct {
		uint64_t start_brk, brk, start_stack;
	} layout; /* of the current target */
	struct {
		uint64_t raw, flags;
	} translated[16]; /* vm_flags that were met */
	bool restart;     /* the current target is read again from its begin */
};

/* A source with programs of its own, that nobody tested, and a ring of @ring_size bytes. */
struct source *bpf_source_new_unpinned(size_t ring_size, struct err *err);

/* Its free() closes the programs. */
extern const struct source_ops bpf_source_ops;

/* Reads, one by one, what lies in the ring. 0 or -errno, described. */
typedef int bpf_take_fn(struct bpf_run *run, const struct raw_head *head, size_t len);

bpf_take_fn bpf_take_dir, bpf_take_fd, bpf_take_mm, bpf_take_vma;
bpf_take_fn bpf_take_task, bpf_take_limits, bpf_take_sigactions, bpf_take_itimers;
bpf_take_fn bpf_take_path, bpf_take_ptimer, bpf_take_thread, bpf_take_groups;

/*
 * Takes what a program wrote, whatever it is, and hands the records of the targets that are complete
 * on to run->sink. 0 or -errno, described.
 */
int bpf_take(struct bpf_run *run, const struct raw_head *head, size_t len);
int bpf_flush(struct bpf_run *run);

/* The process that a record in the ring is about. */
static inline const struct collect_target *bpf_target(const struct bpf_run *run,
						      const struct raw_head *head)
{
	return run->targets[head->target];
}

/*
 * Appends a record to run->out: the @size bytes at @hdr (type, pid, tid and valid are set) and
 * @tail_len bytes behind them.
 */
void bpf_put(struct bpf_run *run, struct rec_hdr *hdr, size_t size, const void *tail,
	     size_t tail_len);

int bpf_malformed(struct bpf_run *run, const char *what);

/* ---- file.c ---- */

enum { BPF_PATH_MAX = 4096 };

/* A file's name for a record. */
struct bpf_path {
	uint32_t file_flags; /* REC_FILE_* */
	size_t len;
	char text[BPF_PATH_MAX + 256];
};

/* @name: raw->name_len bytes. 0; -ENAMETOOLONG, -EBADMSG. */
int bpf_file_path(struct bpf_run *run, const struct raw_file *raw, const char *name,
		  struct bpf_path *ret_path);

/* Whether stat(2) of the file tells what its inode holds, device and all. */
bool bpf_stat_is_inode(const struct raw_file *raw);

/* ---- mm.c, vmflags.c ---- */

/* Behind the last mapping of @target. */
void bpf_put_vsyscall(struct bpf_run *run, const struct collect_target *target);

/*
 * Translates the kernel's vm_flags of @rec. To be called between two runs of programs, because it
 * may run one. 0 or -errno, described.
 */
int bpf_finish_vma(struct bpf_run *run, struct rec_vma *rec);

/* ---- task.c, timer.c, thread.c ---- */

/* As /proc/PID/stat names it. */
char bpf_state_letter(uint32_t run_state, uint32_t exit_state);

/* Finds out which bits of mm->flags are the THP switch. To be called between runs. */
int bpf_learn_thp(struct bpf_run *run);

/* The time of @clock, ns; of those in @now, the time that they were taken at. */
uint64_t bpf_clock_now(int clock, const struct raw_now *now);

/* Reads which cpus there are. */
int bpf_read_cpus(struct bpf_source *source, struct err *err);

#endif /* CRIB_COLLECT_BPF_ENGINE_H */
