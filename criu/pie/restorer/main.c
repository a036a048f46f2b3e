// SPDX-License-Identifier: GPL-2.0-only
/*
 * The restorer blob: runs the program of its task, thread by thread, up to the parking place.
 */
#include <linux/futex.h>
#include <linux/prctl.h>
#include <linux/sched.h>

#include "blob.h"

/* Called by entry.S and by a thread that restorer_clone() has made. */
__attribute__((noreturn)) void restorer_main(struct restorer_header *prog);
__attribute__((noreturn)) void restorer_thread(struct restorer_header *prog,
					       const struct restorer_op *op);
/* In entry.S. The new thread continues in restorer_thread(). Its tid, or -errno. */
long restorer_clone(const struct clone_args *args, unsigned long size, struct restorer_header *prog,
		    const struct restorer_op *op);

/* struct timespec of the system calls that have the number of the machine's first ABI. */
struct time_limit {
	long sec, nsec;
};

/* The compiler calls these for what it finds too long to write out. */
void *memset(void *dst, int c, unsigned long n);
void *memcpy(void *dst, const void *src, unsigned long n);

void *memset(void *dst, int c, unsigned long n)
{
	volatile unsigned char *d = dst;

	while (n--)
		*d++ = (unsigned char)c;
	return dst;
}

void *memcpy(void *dst, const void *src, unsigned long n)
{
	volatile unsigned char *d = dst;
	const unsigned char *s = src;

	while (n--)
		*d++ = *s++;
	return dst;
}

/* @limit: of the time to wait, NULL: none */
static long futex(__u32 *word, long op, __u32 value, const struct time_limit *limit)
{
	return sys(__NR_futex, word, op, value, limit, 0);
}

static __attribute__((noreturn)) void quit(void)
{
	for (;;)
		sys(__NR_exit_group, 1, 0, 0, 0, 0);
}

static void announce(const struct ctx *ctx)
{
	__u32 *events = ptr(ctx->prog->events);

	__atomic_add_fetch(events, 1, __ATOMIC_SEQ_CST);
	futex(events, FUTEX_WAKE, 0x7fffffff, 0);
}

void blob_warn(const struct ctx *ctx, enum restorer_warning warning, long error)
{
	struct restorer_status *status = ctx->status;
	__u32 bit = 1U << warning;

	if (__atomic_load_n(&status->warnings, __ATOMIC_SEQ_CST) & bit)
		return;
	status->warning_pid[warning] = ctx->prog->pid;
	status->warning_errno[warning] = (__s32)-error;
	__atomic_or_fetch(&status->warnings, bit, __ATOMIC_SEQ_CST);
}

/* The first failure of all tasks is kept; this one ends with all its threads. */
static __attribute__((noreturn)) void fail(const struct ctx *ctx, const struct restorer_op *op,
					   long error)
{
	struct restorer_status *status = ctx->status;

	if (!__atomic_exchange_n(&status->claimed, 1, __ATOMIC_SEQ_CST)) {
		status->failed_pid = ctx->prog->pid;
		status->failed_tid = ctx->tid;
		status->failed_errno = (__s32)-error;
		status->failed_op = *op;
		__atomic_store_n(&status->failed, 1, __ATOMIC_SEQ_CST);
	}
	announce(ctx);
	quit();
}

/*
 * Ends when the coordinator is dead. The kernel wakes one sleeper when the owner of a robust futex
 * dies: that one wakes the others. Returns the futex's value.
 */
static __u32 check_coordinator(struct restorer_status *status)
{
	__u32 owner = __atomic_load_n(&status->owner, __ATOMIC_SEQ_CST);

	if (owner & FUTEX_OWNER_DIED) {
		futex(&status->owner, FUTEX_WAKE, 0x7fffffff, 0);
		quit();
	}
	return owner;
}

static __attribute__((noreturn)) void park(const struct ctx *ctx)
{
	__atomic_add_fetch(&ctx->status->parked, 1, __ATOMIC_SEQ_CST);
	announce(ctx);
	for (;;)
		futex(&ctx->status->owner, FUTEX_WAIT, check_coordinator(ctx->status), 0);
}

/* Between two looks at the coordinator, of whose death this futex does not tell. */
static long op_hold(const struct ctx *ctx)
{
	const struct time_limit nap = { .nsec = 100 * 1000 * 1000 };
	__u32 *release = &ctx->status->release;

	__atomic_add_fetch(&ctx->status->held, 1, __ATOMIC_SEQ_CST);
	announce(ctx);
	while (!__atomic_load_n(release, __ATOMIC_SEQ_CST)) {
		check_coordinator(ctx->status);
		futex(release, FUTEX_WAIT, 0, &nap);
	}
	return 0;
}

static long op_barrier(const struct ctx *ctx, __u64 nr_threads)
{
	struct restorer_header *prog = ctx->prog;
	__u32 gen = __atomic_load_n(&prog->barrier_gen, __ATOMIC_SEQ_CST);

	if (__atomic_add_fetch(&prog->barrier, 1, __ATOMIC_SEQ_CST) == nr_threads) {
		__atomic_store_n(&prog->barrier, 0, __ATOMIC_SEQ_CST);
		__atomic_add_fetch(&prog->barrier_gen, 1, __ATOMIC_SEQ_CST);
		futex(&prog->barrier_gen, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 0x7fffffff, 0);
		return 0;
	}
	while (__atomic_load_n(&prog->barrier_gen, __ATOMIC_SEQ_CST) == gen)
		futex(&prog->barrier_gen, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, gen, 0);
	return 0;
}

static long op_clone(const struct ctx *ctx, const struct restorer_op *op)
{
	__s32 tid = (__s32)op->arg[0];
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			 CLONE_SYSVSEM,
		.stack = (unsigned long)at(ctx, op->arg[2] - op->arg[3]),
		.stack_size = op->arg[3],
		.set_tid = (unsigned long)&tid,
		.set_tid_size = 1,
	};
	long ret = restorer_clone(&args, sizeof(args), ctx->prog, at(ctx, op->arg[1]));

	return ret < 0 ? ret : 0;
}

static long run_memory(const struct ctx *ctx, const struct restorer_op *op)
{
	const __u64 *arg = op->arg;

	switch (op->opcode) {
	case ROP_UNMAP_REST: return op_unmap_rest(ctx, op);
	case ROP_UNMAP: return sys(__NR_munmap, arg[0], arg[1], 0, 0, 0);
	case ROP_MREMAP: return op_mremap(op);
	case ROP_MMAP: return op_mmap(op);
	case ROP_PREAD: return op_pread(ctx, op);
	case ROP_COPY: return op_copy(ctx, op);
	case ROP_MPROTECT: return sys(__NR_mprotect, arg[0], arg[1], arg[2], 0, 0);
	case ROP_MADVISE: return sys(__NR_madvise, arg[0], arg[1], arg[2], 0, 0);
	case ROP_GUARD: return op_guard(op);
	case ROP_MLOCK: return op_mlock(op);
	case ROP_VMA_NAME:
		return sys_prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, arg[0], arg[1], at(ctx, arg[2]));
	case ROP_SET_MM: return op_set_mm(ctx, op);
	case ROP_SET_MM_EACH: return op_set_mm_each(ctx, op);
	default: return -BLOB_ENOSYS;
	}
}

static long run_process(const struct ctx *ctx, const struct restorer_op *op)
{
	const __u64 *arg = op->arg;
	long ret;

	switch (op->opcode) {
	case ROP_PRCTL: return sys_prctl(arg[0], arg[1], arg[2], arg[3], arg[4]);
	case ROP_PERSONALITY:
		ret = sys(__NR_personality, arg[0], 0, 0, 0, 0);
		return ret < 0 ? ret : 0;
	case ROP_MEMBARRIER: return sys(__NR_membarrier, arg[0], 0, 0, 0, 0);
	case ROP_UMASK: sys(__NR_umask, arg[0], 0, 0, 0, 0); return 0;
	case ROP_CHROOT: return op_chroot(op);
	case ROP_FCHDIR: return sys(__NR_fchdir, arg[0], 0, 0, 0, 0);
	case ROP_CLOSE_RANGE: return op_close_range(op);
	case ROP_FCNTL: return sys(SYS_FCNTL, arg[0], arg[1], at(ctx, arg[2]), 0, 0);
	case ROP_SIGACTION: return op_sigaction(ctx, op);
	case ROP_CLONE: return op_clone(ctx, op);
	case ROP_TIMER_CREATE: return op_timer_create(ctx, op);
	case ROP_TIMER_ARM: return op_timer_arm(ctx, op);
	case ROP_ITIMER: return op_itimer(ctx, op);
	case ROP_DUMPABLE: return op_dumpable(op);
	default: return run_memory(ctx, op);
	}
}

static long run_thread_op(const struct ctx *ctx, const struct restorer_op *op)
{
	const __u64 *arg = op->arg;

	switch (op->opcode) {
	case ROP_SIGQUEUE: return op_sigqueue(ctx, op);
	case ROP_COMM: return sys_prctl(PR_SET_NAME, at(ctx, arg[0]), 0, 0, 0);
	case ROP_AFFINITY: return sys(__NR_sched_setaffinity, 0, arg[1], at(ctx, arg[0]), 0, 0);
	case ROP_SCHED: return sys(__NR_sched_setattr, 0, at(ctx, arg[0]), 0, 0, 0);
	case ROP_ALTSTACK: return op_altstack(op);
	case ROP_ROBUST_LIST: return sys(__NR_set_robust_list, arg[0], arg[1], 0, 0, 0);
	case ROP_TID_ADDRESS: sys(__NR_set_tid_address, arg[0], 0, 0, 0, 0); return 0;
	case ROP_RSEQ: return sys(__NR_rseq, arg[0], arg[1], 0, arg[2], 0);
	case ROP_CREDS: return op_creds(ctx, op);
	case ROP_BARRIER: return op_barrier(ctx, arg[0]);
	case ROP_HOLD: return op_hold(ctx);
	case ROP_PARK: park(ctx);
	default: return run_process(ctx, op);
	}
}

void restorer_thread(struct restorer_header *prog, const struct restorer_op *op)
{
	struct ctx ctx = { .prog = prog, .status = ptr(prog->status) };

	ctx.tid = (__s32)sys(__NR_gettid, 0, 0, 0, 0, 0);
	for (;; op++) {
		long ret = run_thread_op(&ctx, op);

		if (ret >= 0)
			continue;
		if (op->warning == RWARN_NONE)
			fail(&ctx, op, ret);
		blob_warn(&ctx, op->warning, ret);
	}
}

void restorer_main(struct restorer_header *prog)
{
	restorer_thread(prog, (const struct restorer_op *)((char *)prog + prog->leader_ops));
}
