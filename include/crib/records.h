/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records: what an engine says about live tasks. The BPF programs, the /proc reader and the
 * remote system calls all emit these structs and interpret nothing; dump/gather.c makes a
 * snapshot of them. Fixed-width little-endian fields, explicit padding, the same bytes on every
 * architecture. A record is its struct followed by a tail; hdr.len is the size of both, rounded
 * up to 8 with zeroes.
 *
 * hdr.valid says which groups of fields the engine filled (RV_* of that record); the fields of
 * the other groups are zero. Records about the same object from several sources complete each
 * other: gather takes each group from the first record that has it.
 */
#ifndef CRIB_RECORDS_H
#define CRIB_RECORDS_H

#include <linux/types.h>

enum rec_type {
	REC_TASK = 1,   /* struct rec_task, one per process */
	REC_LIMITS,     /* struct rec_limits, one per process */
	REC_SIGACTIONS, /* struct rec_sigactions, one per process */
	REC_ITIMERS,    /* struct rec_itimers, one per process */
	REC_PTIMER,     /* struct rec_ptimer, one per POSIX timer */
	REC_PATH,       /* struct rec_path: cwd, root, exe */
	REC_THREAD,     /* struct rec_thread, one per thread, the leader's too */
	REC_MM,         /* struct rec_mm, one per process */
	REC_VMA,        /* struct rec_vma, one per mapping, ascending */
	REC_FD,         /* struct rec_fd, one per descriptor, ascending */
	REC_TYPE_MAX,
};

struct rec_hdr {
	__u16 type; /* enum rec_type */
	__u16 reserved;
	__u32 len;   /* bytes of the whole record with its tail, a multiple of 8 */
	__u32 pid;   /* process (thread group), in crib's pid namespace */
	__u32 tid;   /* thread; == pid for records of the process */
	__u64 valid; /* RV_* bits of this type of record */
};
_Static_assert(sizeof(struct rec_hdr) == 24, "wire layout");

/* Namespaces, in the order of rec_task.ns. */
enum rec_ns {
	REC_NS_PID,
	REC_NS_NET,
	REC_NS_IPC,
	REC_NS_UTS,
	REC_NS_MNT,
	REC_NS_USER,
	REC_NS_CGROUP,
	REC_NS_TIME,
	REC_NS_PID_CHILDREN,
	REC_NS_TIME_CHILDREN,
	REC_NS_MAX,
};

#define RV_TASK_STAT       (1ULL << 0) /* ppid .. exit_signal, flags, tty, comm, start_time */
#define RV_TASK_STATUS     (1ULL << 1) /* umask */
#define RV_TASK_PERSONA    (1ULL << 2)
#define RV_TASK_OOM        (1ULL << 3)
#define RV_TASK_DUMPABLE   (1ULL << 4)
#define RV_TASK_SUBREAPER  (1ULL << 5)
#define RV_TASK_THP        (1ULL << 6)
#define RV_TASK_SHARED     (1ULL << 7) /* mm_id .. sysvsem_id, sem_undo */
#define RV_TASK_NS         (1ULL << 8)
#define RV_TASK_MEMBARRIER (1ULL << 9)

#define REC_TASK_KTHREAD   (1U << 0) /* rec_task.flags */

/* rec_task.sem_undo: operations on semaphores that the kernel takes back when the task ends. */
enum rec_sem_undo {
	REC_SEM_UNDO_NONE,
	REC_SEM_UNDO_SOME,
	REC_SEM_UNDO_PERHAPS, /* it has a list for such, and was the last to use a semaphore */
};

struct rec_task {
	struct rec_hdr hdr;
	__u32 ppid, pgid, sid; /* in crib's pid namespace, 0: outside of it */
	__u32 nr_threads;
	__u32 state;     /* the letter of /proc/PID/stat: 'R' 'S' 'D' 'T' 't' 'Z' 'X' 'I' */
	__u32 exit_code; /* as wait(2) gives it; of zombies */
	__u32 exit_signal;
	__u32 flags;    /* REC_TASK_* */
	__u32 tty_rdev; /* controlling terminal as st_rdev (new encoding), 0: none */
	__u32 tty_pgrp;
	__u32 umask;
	__u32 personality;
	__s32 oom_score_adj;
	__u32 dumpable;
	__u32 child_subreaper;
	__u32 thp_disabled;
	__u32 membarrier; /* MEMBARRIER_CMD_REGISTER_* of membarrier(2) */
	__u32 sem_undo;   /* enum rec_sem_undo */
	__u32 sem_set;    /* a set of semaphores that it concerns, as semget(2) numbers it */
	__u32 reserved;
	/* Identity of what tasks can share: equal numbers, one object. 0: none (a zombie's mm). */
	__u64 mm_id, files_id, fs_id, sighand_id, sysvsem_id;
	__u64 start_time;     /* ns since boot, with the engine's resolution */
	__u64 ns[REC_NS_MAX]; /* inode numbers of /proc/PID/ns, 0: not there */
	char comm[16];
};
_Static_assert(sizeof(struct rec_task) == 24 + 80 + 48 + 80 + 16, "wire layout");

#define REC_NR_LIMITS 16

struct rec_limits {
	struct rec_hdr hdr;
	struct {
		__u64 cur, max; /* ~0: unlimited */
	} limit[REC_NR_LIMITS]; /* indexed by RLIMIT_* */
};

#define REC_NR_SIGNALS 64

struct rec_sigactions {
	struct rec_hdr hdr;
	struct {
		__u64 handler; /* 0 SIG_DFL, 1 SIG_IGN or the address */
		__u64 flags;   /* SA_* */
		__u64 restorer;
		__u64 mask;       /* bit n-1: signal n */
	} action[REC_NR_SIGNALS]; /* [n-1]: signal n */
};

struct rec_itimers {
	struct rec_hdr hdr;
	struct {
		__u64 value_us, interval_us; /* time to the next expiry, 0: off */
	} timer[3];                          /* ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF */
};

#define RV_PTIMER_VALUE (1ULL << 0) /* value, interval and overrun */

struct rec_ptimer {
	struct rec_hdr hdr;
	__u32 id;
	__s32 clock;
	__u32 signo;
	__u32 notify;     /* SIGEV_* */
	__u32 notify_tid; /* of SIGEV_THREAD_ID */
	__u32 overrun;
	__u64 sigval;
	__u64 value_ns, interval_ns; /* time to the next expiry, 0: off */
};

enum rec_path_which { REC_PATH_CWD = 1, REC_PATH_ROOT, REC_PATH_EXE };

/*
 * Paths are absolute in crib's own mount namespace and root. A file without a name there has
 * REC_PATH_DELETED set and its last known path, without the kernel's " (deleted)".
 */
#define REC_FILE_DELETED     (1U << 0) /* no link under this path any more */
#define REC_FILE_UNREACHABLE (1U << 1) /* not below crib's root */

struct rec_path {
	struct rec_hdr hdr;
	__u32 which; /* enum rec_path_which */
	__u32 mode;  /* st_mode */
	__u64 dev;   /* st_dev in the kernel's 32-bit encoding: (major << 20 | minor) widened */
	__u64 ino;
	__u32 nlink;
	__s32 mnt_id;     /* -1: not known */
	__u32 file_flags; /* REC_FILE_* */
	__u32 path_len;   /* bytes of the tail that are the path, no NUL */
	char path[];
};

#define RV_THREAD_STAT       (1ULL << 0) /* comm, state */
#define RV_THREAD_SCHED      (1ULL << 1) /* sched_*, nice */
#define RV_THREAD_AFFINITY   (1ULL << 2)
#define RV_THREAD_SLACK      (1ULL << 3)
#define RV_THREAD_CREDS      (1ULL << 4) /* ids, caps, groups in the tail */
#define RV_THREAD_SECUREBITS (1ULL << 5)
#define RV_THREAD_SECCOMP    (1ULL << 6) /* seccomp_mode, seccomp_filters, no_new_privs */
#define RV_THREAD_ROBUST     (1ULL << 7)
#define RV_THREAD_SAS        (1ULL << 8)
#define RV_THREAD_CTID       (1ULL << 9) /* clear_child_tid */
#define RV_THREAD_PDEATH     (1ULL << 10)
#define RV_THREAD_RESTART    (1ULL << 11) /* restart_remaining_ns */

struct rec_thread {
	struct rec_hdr hdr;
	char comm[16];
	__u32 state;        /* letter */
	__u32 sched_policy; /* SCHED_* */
	__s32 nice;
	__u32 sched_prio;                                               /* real-time priority */
	__u64 sched_flags, sched_runtime, sched_deadline, sched_period; /* sched_getattr(2) */
	__u64 timerslack_ns;
	__u32 uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	__u64 cap_inh, cap_prm, cap_eff, cap_bnd, cap_amb;
	__u32 securebits;
	__u32 no_new_privs;
	__u32 seccomp_mode;
	__u32 seccomp_filters;
	__u64 robust_list;
	__u32 robust_list_len;
	__u32 sas_flags;
	__u64 sas_sp, sas_size;
	__u64 clear_child_tid;
	__u64 restart_remaining_ns; /* of an interrupted sleep or wait with a time-out */
	__u32 pdeath_sig;
	__u32 nr_cpu_words; /* tail: affinity, 32 cpus a word, lowest first, */
	__u32 nr_groups;    /* then supplementary groups */
	__u32 reserved;
	__u32 tail[];
};

#define RV_MM_LAYOUT (1ULL << 0) /* start_code .. env_end but brk */
#define RV_MM_BRK    (1ULL << 1)
#define RV_MM_AUXV   (1ULL << 2)
#define RV_MM_COUNT  (1ULL << 3) /* map_count */

struct rec_mm {
	struct rec_hdr hdr;
	__u64 start_code, end_code, start_data, end_data, start_stack, start_brk, brk;
	__u64 arg_start, arg_end, env_start, env_end;
	__u32 map_count; /* the kernel's own count of mappings */
	__u32 nr_auxv;   /* tail: auxv, type and value in turn, one 64-bit word each */
	__u64 auxv[];
};

enum rec_vma_special {
	REC_VMA_NORMAL,
	REC_VMA_HEAP,
	REC_VMA_STACK,
	REC_VMA_VDSO,
	REC_VMA_VVAR, /* every mapping of the vvar family */
	REC_VMA_VSYSCALL,
	REC_VMA_OTHER, /* a special mapping that crib does not know; named in the tail */
};

/* rec_vma.flags: the kernel's vm_flags in crib's own numbers. */
enum rec_vma_flag {
	REC_VM_READ,
	REC_VM_WRITE,
	REC_VM_EXEC,
	REC_VM_SHARED,
	REC_VM_MAYREAD,
	REC_VM_MAYWRITE,
	REC_VM_MAYEXEC,
	REC_VM_MAYSHARE,
	REC_VM_GROWSDOWN,
	REC_VM_PFNMAP,
	REC_VM_LOCKED,
	REC_VM_LOCKONFAULT,
	REC_VM_IO,
	REC_VM_SEQ_READ,
	REC_VM_RAND_READ,
	REC_VM_DONTCOPY,
	REC_VM_DONTEXPAND,
	REC_VM_ACCOUNT,
	REC_VM_NORESERVE,
	REC_VM_HUGETLB,
	REC_VM_SYNC,
	REC_VM_WIPEONFORK,
	REC_VM_DONTDUMP,
	REC_VM_MIXEDMAP,
	REC_VM_HUGEPAGE,
	REC_VM_NOHUGEPAGE,
	REC_VM_MERGEABLE,
	REC_VM_UFFD_MISSING,
	REC_VM_UFFD_WP,
	REC_VM_UFFD_MINOR,
	REC_VM_SHADOW_STACK,
	REC_VM_DROPPABLE,
	REC_VM_SEALED,
	REC_VM_PKEY, /* it has another protection key than 0 */
	REC_VM_FLAG_MAX,
};
#define REC_VMF(flag) (1ULL << REC_VM_##flag)

#define RV_VMA_RANGE  (1ULL << 0) /* start .. name, and READ WRITE EXEC SHARED of flags */
#define RV_VMA_FLAGS  (1ULL << 1) /* all of flags */
#define RV_VMA_RSS    (1ULL << 2) /* populated: 0: surely no private page of its own */

struct rec_vma {
	struct rec_hdr hdr;
	__u64 start, end; /* bytes, end exclusive */
	__u64 offset;     /* bytes in the file; 0 for anonymous memory */
	__u64 flags;      /* REC_VMF() */
	__u64 dev;        /* as rec_path.dev; 0 with ino 0: anonymous */
	__u64 ino;
	__u32 special;    /* enum rec_vma_special */
	__u32 file_flags; /* REC_FILE_* */
	__u32 populated;
	__u32 name_len; /* tail: path of the file, or the name given with PR_SET_VMA_ANON_NAME */
	char name[];
};

#define RV_FD_FLAGS (1ULL << 0) /* cloexec, flags, pos, mnt_id */
#define RV_FD_INODE (1ULL << 1) /* mode, dev, rdev, ino, size, nlink, mtime */
#define RV_FD_PATH  (1ULL << 2)
#define RV_FD_OFD   (1ULL << 3) /* ofd_id */

struct rec_fd {
	struct rec_hdr hdr;
	__u32 fd;
	__u32 cloexec; /* 0 or 1 */
	__u64 ofd_id;  /* identity of the open file description, valid within one run only */
	__u64 pos;
	__u32 flags;  /* f_flags: O_* of open(2) without O_CLOEXEC */
	__s32 mnt_id; /* -1: not known */
	__u32 mode;   /* st_mode */
	__u32 nlink;
	__u64 dev, rdev; /* as rec_path.dev */
	__u64 ino;
	__u64 size;
	__u64 mtime_ns;
	__u32 file_flags; /* REC_FILE_* */
	__u32 path_len;
	__u32 unlocked; /* 1: surely no file lock was taken by this descriptor; 0: not known */
	__u32 reserved;
	/* absolute path, or for what has none the name readlink(2) of /proc/PID/fd/N gives, such as
	 * "pipe:[17]", "anon_inode:[eventpoll]", "/memfd:name" (REC_FILE_DELETED set) */
	char path[];
};

#endif /* CRIB_RECORDS_H */
