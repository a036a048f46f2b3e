/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the BPF programs (bpf/) and the engine that runs them (criu/collect/bpf/): what a run is
 * given, and what it writes into the ring. Both sides are built together, so this may change at
 * will; what leaves the engine is records.h.
 *
 * A run of the program covers targets [cursor.target, cursor.nr_targets) and ends when all are
 * done, when the ring is full or when it has lasted long enough. Run again with the cursor it left,
 * it goes on with the first thing that it has not written. Nothing is written twice or in pieces.
 * What is written of one target ends with a RAW_END.
 */
#ifndef CRIB_BPF_ABI_H
#define CRIB_BPF_ABI_H

#include "crib/records.h"

#define RUN_MAX_TARGETS 256

struct run_target {
	__s32 pidfd; /* in the descriptor table of the caller */
	__u32 pid;   /* what it must lead to, in the caller's pid namespace */
};

/* Shared memory of one instance of the programs, written between runs. */
struct run_control {
	__u64 key[2];     /* secret of this run of crib, for RAW identities */
	__u32 generation; /* a new one forgets which directories were sent */
	__u32 cpu_bytes;  /* of affinity masks that are sent, a multiple of 8 */
	struct run_target target[RUN_MAX_TARGETS];
};

enum run_status {
	RUN_DONE = 1,    /* all targets are done */
	RUN_INTERRUPTED, /* the ring is full or the time is up: run again */
};

/* What is collected, in the order of enum rec_group. */
enum run_group { RUN_TASKS, RUN_THREADS, RUN_MM, RUN_FDS };

/* The context of the program: in and out. */
struct run_cursor {
	__u32 target;
	__u32 nr_targets;
	__u64 pos;    /* in the target, of a meaning that only the program knows; 0: its begin */
	__u32 group;  /* in: enum run_group */
	__u32 status; /* out: enum run_status */
};

enum raw_type {
	RAW_END = 1,    /* struct raw_end */
	RAW_DIR,        /* struct raw_dir */
	RAW_FD,         /* struct raw_fd */
	RAW_MM,         /* struct raw_mm */
	RAW_VMA,        /* struct raw_vma */
	RAW_TASK,       /* struct raw_task */
	RAW_LIMITS,     /* struct raw_limits */
	RAW_SIGACTIONS, /* struct raw_sigactions */
	RAW_ITIMERS,    /* struct raw_itimers */
	RAW_PATH,       /* struct raw_path */
	RAW_PTIMER,     /* struct raw_ptimer */
	RAW_THREAD,     /* struct raw_thread */
	RAW_GROUPS,     /* struct raw_groups */
	RAW_TYPE_MAX,
};

/* In front of everything in the ring. */
struct raw_head {
	__u32 type;   /* enum raw_type */
	__u32 target; /* index */
};

struct raw_end {
	struct raw_head head;
	__s32 error;    /* -errno: the target could not be read at all */
	__u32 expected; /* how many objects the kernel's own count says there are */
};

enum raw_reach {
	RAW_REACH_ROOT = 1, /* the path begins at the caller's root */
	RAW_REACH_ABSOLUTE, /* at the root of a mount namespace that the caller's root is not in */
	RAW_REACH_NOWHERE,  /* at the root of a mount that is in no namespace */
	RAW_REACH_TOO_LONG, /* no path: it has more than RAW_DIR_MAX bytes */
};

#define RAW_DIR_MAX 4095 /* PATH_MAX without the NUL */

/*
 * A directory, sent before the first file in it. Its names stand in the tail from the file up to
 * the root, a '/' behind each: "lib/usr/".
 */
struct raw_dir {
	struct raw_head head;
	__u32 id;    /* 1, 2 .. within a generation */
	__u32 reach; /* enum raw_reach */
	__u32 len;
	__u32 reserved;
	char text[];
};

#define RAW_FILE_UNHASHED (1U << 0) /* deleted, or not reachable by its name any more */
#define RAW_FILE_PSEUDO   (1U << 1) /* in no directory: pipes, sockets, memfds .. */
#define RAW_FILE_NO_INODE (1U << 2)
#define RAW_FILE_LOCKED   (1U << 3) /* somebody has or had a lock of it */

struct raw_file {
	__u64 ino, size, mtime_ns;
	__u64 inode_id;  /* identity */
	__u32 dev, rdev; /* the kernel's dev_t */
	__u32 mode, nlink;
	__u32 magic; /* of the file system */
	__s32 mnt_id;
	__u32 flags;    /* RAW_FILE_* */
	__u32 dir;      /* raw_dir.id, 0: none */
	__u32 name_len; /* the name in that directory; 0: the file is the directory itself */
	__u32 reserved;
};

struct raw_fd {
	struct raw_head head;
	__u32 fd;
	__u32 cloexec;
	__u64 ofd_id; /* identity */
	__u64 pos;
	__u32 f_flags;
	__u32 reserved;
	struct raw_file file;
	char name[];
};

#define RAW_MAX_AUXV 128 /* words, AT_NULL too; the kernel's own limit is less */

struct raw_mm {
	struct raw_head head;
	struct rec_mm mm; /* its tail is the kernel's whole array */
};

enum raw_name {
	RAW_NAME_NONE,    /* the record ends in front of file */
	RAW_NAME_FILE,    /* in file.dir */
	RAW_NAME_GIVEN,   /* with PR_SET_VMA_ANON_NAME; file is that of shared memory */
	RAW_NAME_SPECIAL, /* of a mapping that the kernel made: "[vdso]" */
};

struct raw_vma {
	struct raw_head head;
	__u64 start, end;
	__u64 pgoff;    /* pages */
	__u64 vm_flags; /* the kernel's */
	__u32 naming;   /* enum raw_name */
	__u32 name_len;
	__u32 has_anon; /* it may have private pages */
	__u32 has_file;
	struct raw_file file;
	char name[];
};

struct raw_task {
	struct raw_head head;
	struct rec_task task;        /* but for header, state, flags, tty_rdev and thp_disabled */
	__u32 run_state, exit_state; /* task_struct.__state, exit_state */
	__u32 pf_flags;              /* task_struct.flags */
	__u32 tty_dev;               /* dev_t */
	__u64 mm_flags;              /* the low 64 of them */
	__u32 membarrier_state;      /* of mm_struct */
	__u32 reserved;
};

/* The kernel's arrays as they are. */
struct raw_limits {
	struct raw_head head;
	struct rec_limits limits; /* but for its header */
};

struct raw_sigactions {
	struct raw_head head;
	struct rec_sigactions actions; /* but for its header */
};

/* Times of several clocks, to be subtracted from points in time that stand beside them. */
struct raw_now {
	__u64 monotonic, boottime; /* ns */
};

struct raw_cpu_time {
	__u64 utime, stime, sum_exec; /* ns */
};

struct raw_itimers {
	struct raw_head head;
	struct raw_now now;
	struct raw_cpu_time group;
	__u64 real_expires, real_interval; /* ns, of the monotonic clock */
	__u32 real_active;
	__u32 reserved;
	struct {
		__u64 expires, incr; /* ns of cpu time */
	} cpu[2];                    /* PROF, VIRTUAL */
};

struct raw_path {
	struct raw_head head;
	__u32 which; /* enum rec_path_which */
	__u32 reserved;
	struct raw_file file;
	char name[];
};

enum raw_timer_status { RAW_TIMER_DISARMED, RAW_TIMER_ARMED, RAW_TIMER_PENDING };

struct raw_ptimer {
	struct raw_head head;
	struct rec_ptimer timer; /* but for header and value_ns */
	struct raw_now now;
	struct raw_cpu_time group, thread;
	__u64 expires;    /* ns, 0: never set */
	__u32 status;     /* enum raw_timer_status */
	__s32 base_clock; /* in whose time it expires; not of timers of cpu time */
	__s64 missed;     /* it_overrun: -1 and what was counted since the signal that is pending */
};

/* include/linux/restart_block.h: the union behind the function, as three kinds of calls use it. */
struct raw_restart {
	__u64 word[5];
};

#define RAW_MAX_CPU_BYTES 1024
#define RAW_GROUPS_CHUNK  1024

struct raw_thread {
	struct raw_head head;
	struct raw_now now;
	struct raw_restart restart;
	__u64 atomic_flags;
	__u32 run_state, exit_state;
	__u32 cpu_bytes;
	__u32 groups_here; /* the others come in struct raw_groups */
	/* But for header and state; behind it cpu_bytes of the affinity mask, then groups. */
	struct rec_thread thread;
};

/* More groups of the thread in front of it. */
struct raw_groups {
	struct raw_head head;
	__u32 n;
	__u32 reserved;
	__u32 gid[];
};

#endif /* CRIB_BPF_ABI_H */
