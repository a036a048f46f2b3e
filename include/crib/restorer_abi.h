/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What restore/program.c and the restorer blob agree on: the opcodes that turn an actor into the
 * restored task, the region of memory that holds blob and program, and the shared status through
 * which the blob reports. Fixed-width fields; offsets from the program's header, no pointers.
 */
#ifndef CRIB_RESTORER_ABI_H
#define CRIB_RESTORER_ABI_H

#include <linux/types.h>

/*
 * One instruction. A failing one is copied whole into the status and ends the process, unless it
 * has a warning: then the bit is set in the status and the program goes on.
 * "off": offset in the program.
 */
enum restorer_opcode {
	ROP_UNMAP_REST = 1, /* off of struct restorer_range[], count, end of user space: unmap all
			       but these, which ascend, and the region itself */
	ROP_UNMAP,          /* address, length */
	ROP_MREMAP,         /* old address, old length (0: duplicate), new address, new length */
	ROP_MMAP,           /* address, length, prot, flags, fd or -1, file offset */
	ROP_PREAD,          /* fd, file offset, off of struct restorer_range[], count: fill them */
	ROP_COPY,           /* address, off of bytes, length */
	ROP_MPROTECT,       /* address, length, prot */
	ROP_MADVISE,        /* address, length, advice */
	ROP_GUARD,          /* address, length: MADV_GUARD_INSTALL, else PROT_NONE */
	ROP_MLOCK,          /* address, length, flags of mlock2 */
	ROP_VMA_NAME,       /* address, length, off of string */
	ROP_SET_MM,         /* off of struct restorer_mm: PR_SET_MM_MAP */
	ROP_SET_MM_EACH,    /* the same, value by value, if ROP_SET_MM could not */
	ROP_PRCTL,          /* option, four arguments */
	ROP_PERSONALITY,    /* value */
	ROP_MEMBARRIER,     /* command */
	ROP_UMASK,          /* value */
	ROP_CHROOT,         /* fd of the new root; becomes the working directory too */
	ROP_FCHDIR,         /* fd */
	ROP_CLOSE_RANGE,    /* first, last */
	ROP_FCNTL,          /* fd, command, off of the argument as this machine's libc has it */
	ROP_SIGACTION,      /* signal, off of struct restorer_sigaction */
	ROP_SIGQUEUE,       /* signal, tid (0: of the process, leader only), off of siginfo_t */
	ROP_CLONE,          /* tid, off of its ops, off of its stack's end */
	ROP_TIMER_CREATE,   /* off of struct restorer_timer */
	ROP_TIMER_ARM,      /* off of struct restorer_timer, enum restorer_timer_start */
	ROP_ITIMER,         /* which, off of struct restorer_itimer */
	ROP_COMM,           /* off of string */
	ROP_AFFINITY,       /* off of cpu mask, bytes */
	ROP_SCHED,          /* off of struct sched_attr */
	ROP_ALTSTACK,       /* address, size, flags */
	ROP_ROBUST_LIST,    /* head, length */
	ROP_TID_ADDRESS,    /* clear_child_tid */
	ROP_RSEQ,           /* address, length, signature */
	ROP_CREDS,          /* off of struct restorer_creds */
	ROP_DUMPABLE,       /* value of PR_GET_DUMPABLE that is wanted */
	ROP_BARRIER,        /* number of threads: wait until as many are here */
	ROP_HOLD,           /* report and wait until status.release is set */
	ROP_PARK,           /* report and sleep for ever. The last of each thread */
	ROP_MAX,
};

/* restorer_status.warnings: what could not be brought back on this kernel or with these rights. */
enum restorer_warning {
	RWARN_NONE,
	RWARN_MM,  /* PR_SET_MM: brk, arguments, environment, auxv */
	RWARN_EXE, /* the exe link */
	RWARN_ANON_NAME,
	RWARN_MADVISE,
	RWARN_MLOCK,
	RWARN_GUARD,
	RWARN_AFFINITY,
	RWARN_TIMERSLACK,
	RWARN_MEMBARRIER,
	RWARN_RSEQ,
	RWARN_THP,
	RWARN_MAX,
};

struct restorer_op {
	__u16 opcode;  /* enum restorer_opcode */
	__u16 warning; /* enum restorer_warning; RWARN_NONE: a failure is fatal */
	__u32 index;   /* of the op in the program */
	__u64 arg[6];
};
_Static_assert(sizeof(struct restorer_op) == 56, "wire layout");

struct restorer_range {
	__u64 start; /* address */
	__u64 size;  /* bytes */
};

/* struct prctl_mm_map of linux/prctl.h with the auxiliary vector by offset. */
struct restorer_mm {
	__u64 start_code, end_code, start_data, end_data, start_brk, brk, start_stack;
	__u64 arg_start, arg_end, env_start, env_end;
	__u32 auxv;      /* off of words as wide as the task's */
	__u32 auxv_size; /* bytes */
	__s32 exe_fd;    /* -1: leave the link */
	__u32 reserved;
};
_Static_assert(sizeof(struct restorer_mm) == 104, "wire layout");

struct restorer_sigaction {
	__u64 handler, flags, restorer, mask;
};

struct restorer_itimer {
	__u64 interval_us, value_us;
};

enum restorer_timer_start {
	RTIMER_FROM_NOW,
	RTIMER_OVERRUN, /* some periods ago, and its signal, the leader's, has been taken */
	RTIMER_PENDING, /* some periods ago, and its signal is pending */
};

struct restorer_timer {
	__u32 id;
	__s32 clock;
	__s32 notify; /* SIGEV_* */
	__s32 signo;
	__s32 tid; /* of SIGEV_THREAD_ID */
	__u32 overrun;
	__u64 sigval;
	__u64 interval_ns;
	__u64 value_ns; /* time to the next expiry, 0: not armed */
};
_Static_assert(sizeof(struct restorer_timer) == 48, "wire layout");

#define RCREDS_GROUPS (1U << 0) /* set the supplementary groups */
#define RCREDS_GIDS   (1U << 1)
#define RCREDS_UIDS   (1U << 2)
#define RCREDS_CAPS   (1U << 3)
#define RCREDS_BOUND  (1U << 4) /* drop from the bounding set */
#define RCREDS_AMB    (1U << 5)
#define RCREDS_BITS   (1U << 6) /* securebits */
#define RCREDS_NNP    (1U << 7) /* no_new_privs */

/* Only what differs from crib's own is set: that needs no capability which the task does not. */
struct restorer_creds {
	__u32 set; /* RCREDS_* */
	__u32 securebits;
	__u32 uid, euid, suid, fsuid, gid, egid, sgid, fsgid;
	__u64 cap_inh, cap_prm, cap_eff, cap_bnd, cap_amb;
	__u32 groups; /* off of __u32[] */
	__u32 nr_groups;
};
_Static_assert(sizeof(struct restorer_creds) == 88, "wire layout");

/* First bytes of a program. Offsets count from here. */
struct restorer_header {
	__u32 magic;
	__u32 size;         /* of the program, bytes */
	__u64 region_start; /* address and size of all that must go in the end: blob, program, */
	__u64 region_size;  /* status, stacks. Set when the program is loaded */
	__u32 nr_ops;       /* of all threads */
	__u32 leader_ops;   /* off of the leader's first op; ops follow until ROP_PARK */
	__u32 nr_threads;
	__u32 barrier;     /* futex: threads that came to the barrier */
	__u32 barrier_gen; /* futex: barriers that were passed */
	__s32 pid;
	__u32 mm_left; /* ROP_SET_MM could not set it */
	__u32 reserved;
	__u64 status; /* address of struct restorer_status. Set when loaded */
	__u64 events; /* address of the futex that grows with every park, hold and failure */
};
#define RESTORER_MAGIC 0x63726231U

/*
 * One for all tasks of a restore, anywhere in memory that is MAP_SHARED, aligned to 8.
 * The coordinator waits on a futex word of its choice (program_env.events_off), which grows with
 * every thread that parks or holds and with a failure, and looks at .failed and .parked.
 */
struct restorer_status {
	__u32 parked;  /* threads of all tasks that are at ROP_PARK */
	__u32 held;    /* and at ROP_HOLD */
	__u32 release; /* futex; 1: those at ROP_HOLD go on; program_status_release() */
	/*
	 * Tid of the coordinator, in its robust list (program_status_own): when it dies the kernel
	 * sets FUTEX_OWNER_DIED and wakes, and every parked task kills itself. 0: nobody.
	 */
	__u32 owner;
	__u32 claimed;  /* 0 until somebody owns the next fields */
	__u32 failed;   /* 1 once they are valid */
	__u32 warnings; /* bit n: enum restorer_warning */
	__s32 failed_pid, failed_tid;
	__s32 failed_errno; /* positive */
	__u32 reserved;
	struct restorer_op failed_op;
	__s32 warning_pid[RWARN_MAX]; /* the first task that had it, */
	__s32 warning_errno[RWARN_MAX];
};

#endif /* CRIB_RESTORER_ABI_H */
