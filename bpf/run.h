/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What all programs share: reading kernel memory, the state of a run, writing into the ring.
 *
 * How the verifier wants it: every loop is a bpf_loop(), whose callbacks are checked once; big
 * bodies are global functions of plain numbers, checked once each; offsets into buffers are masked
 * and the buffers have slack behind them. State is in globals, one set for each instance of the
 * loaded programs, so an instance serves one caller at a time.
 */
#ifndef CRIB_BPF_RUN_H
#define CRIB_BPF_RUN_H

#include "kernel_types.h"

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "crib/bpf_abi.h"

#define EPERM        1
#define ESRCH        3
#define EBADF        9
#define EAGAIN       11
#define EFAULT       14
#define ELOOP        40

#define RECORD_MAX   8192 /* bytes of one record, a power of two */
#define RECORD_SLACK 4096

/* As in include/linux/pid.h: enum pid_type. */
#define PIDTYPE_TGID 1
#define PIDTYPE_PGID 2
#define PIDTYPE_SID  3

/* The state of the run. */
struct run_state {
	u32 target, nr_targets;
	u64 pos;
	u64 deadline; /* bpf_ktime_get_ns() */
	u32 stopped;  /* the run has to end before its targets do */
	u32 ticks;    /* pieces of work since the clock was looked at */
	u32 generation;
	u32 next_dir;
	/* The caller: pid namespace and root directory. */
	u64 pid_ns;
	u32 pid_level;
	u64 root_mnt, root_dentry;
	/* The target: kernel pointers, 0 for what it has not got. */
	u64 task, signal;
};

/* The file that file_describe() was called for last. */
struct described_file {
	struct raw_file raw;
	char name[512]; /* raw.name_len bytes, at most 255 */
};

extern struct run_control control;
extern struct run_state run;
extern struct described_file described;
extern char record[RECORD_MAX + RECORD_SLACK];

/* ---- Reading ---- */

#define BULK 256 /* bytes of a struct that are read at once: most of its fields are in them */

/* Reads the beginning of the @type at @ptr into @buf, of BULK bytes. 0 or -EFAULT. */
#define read_bulk(buf, type, ptr)                                                                  \
	bpf_probe_read_kernel(buf,                                                                 \
			      bpf_core_type_size(type) < BULK ? bpf_core_type_size(type) : BULK,   \
			      (const void *)(ptr))

/* Field @field of the @type at @ptr, from its beginning in @buf when it is there. */
#define bulk_field(buf, type, ptr, field)                                                          \
	({                                                                                         \
		typeof(((type *)0)->field) __value = 0;                                            \
		u32 __at = bpf_core_field_offset(type, field);                                     \
                                                                                                   \
		if (__at <= BULK - sizeof(__value))                                                \
			__value = *(typeof(__value) *)((buf) + __at);                              \
		else                                                                               \
			bpf_probe_read_kernel(&__value, sizeof(__value),                           \
					      (const void *)((u64)(ptr) + __at));                  \
		__value;                                                                           \
	})

/* A field by its path: field_of(task, struct task_struct, thread_pid, level). 0 if unreadable. */
#define field_of(ptr, type, ...)                                                                   \
	({                                                                                         \
		type *__object = (type *)(ptr); /* CO-RE must not see how ptr was come by */       \
                                                                                                   \
		BPF_CORE_READ(__object, __VA_ARGS__);                                              \
	})

/* The address of a struct inside the @type at @ptr. */
#define inside(ptr, type, field) ((u64)(ptr) + bpf_core_field_offset(type, field))

/* A number that stands for a kernel pointer, another one in every run of crib; 0 for NULL. */
static __always_inline u64 identity(u64 ptr)
{
	if (!ptr)
		return 0;
	/* each step can be undone by who knows the key, so no two pointers meet */
	ptr ^= control.key[0];
	ptr *= control.key[1] | 1;
	ptr ^= ptr >> 32;
	ptr *= 0x9e3779b97f4a7c15ULL;
	ptr ^= ptr >> 29;
	ptr *= control.key[0] | 1;
	return ptr ^ ptr >> 32;
}

/* ---- Writing ---- */

/* Writes the first @len bytes of record. 0; -EAGAIN: the ring is full and the run stops. */
int emit(u32 len);

/* Writes the RAW_END of the target and goes to the next one. 0 or -EAGAIN. */
int emit_end(s32 error, u32 expected);

/*
 * To be asked after each thing that is done. The clock is looked at every so many pieces of work,
 * none of which takes more than some hundred nanoseconds.
 */
#define TICKS_BETWEEN 32

static __always_inline bool time_is_up(void)
{
	if (++run.ticks < TICKS_BETWEEN)
		return false;
	run.ticks = 0;
	if (bpf_ktime_get_ns() < run.deadline)
		return false;
	run.stopped = 1;
	return true;
}

/*
 * Where a list is gone on with by the next run, which need not walk what is done. A tree that
 * stands still does not change it; if it does, the count will tell.
 */
struct list_cursor {
	u64 node; /* the next one */
	u32 done; /* so many are in front of it */
	u32 target;
	u32 generation;
};

/* Finds the place behind @done objects. False: it is not known, walk the list. */
static __always_inline bool list_cursor_get(struct list_cursor *cursor, u32 done, u64 *node)
{
	if (!done || cursor->done != done || cursor->target != run.target ||
	    cursor->generation != run.generation)
		return false;
	*node = cursor->node;
	return true;
}

static __always_inline void list_cursor_set(struct list_cursor *cursor, u32 done, u64 node)
{
	cursor->node = node;
	cursor->done = done;
	cursor->target = run.target;
	cursor->generation = run.generation;
}

/* ---- The run ---- */

/* Takes the cursor over and looks at the caller. */
int run_begin(u32 target, u32 nr_targets, u64 pos);

/* Finds the process that the pidfd of target run.target leads to. 0 or -errno. */
int target_find(void);

/* The number of the struct pid at @pid in the caller's pid namespace, 0: none there. */
u32 pid_number(u64 pid);

/*
 * The groups, one in each file: target run.target and those behind it from run.pos on, until all
 * are done or the run is to stop.
 */
int collect_tasks(void);
int collect_threads(void);
int collect_mm(void);
int collect_fds(void);

/* ---- Files, in path.bpf.c ---- */

/*
 * Describes the file at the struct path {@mnt, @dentry} into described, or, unless it is 0, that of
 * the struct file @opened under the name that its user knows. Sends its directory when that was
 * not done before. 0; -EAGAIN: the ring is full.
 */
int file_describe(u64 mnt, u64 dentry, u64 opened);

#endif /* CRIB_BPF_RUN_H */
