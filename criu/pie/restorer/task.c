// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process and a thread have besides memory: files, signals, dumpable.
 */
#include <linux/prctl.h>
#include <linux/signal.h>

#include "blob.h"

#ifndef SS_ONSTACK
#define SS_ONSTACK 1
#endif

/* As the kernel takes them, whatever width a long has. */
struct kernel_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	__u64 mask;
};
#define KERNEL_SIGSET_SIZE 8

struct kernel_stack {
	unsigned long sp;
	int flags;
	unsigned long size;
};

long op_chroot(const struct restorer_op *op)
{
	long ret = sys(__NR_fchdir, op->arg[0], 0, 0, 0, 0);

	return ret ? ret : sys(__NR_chroot, ".", 0, 0, 0, 0);
}

/* Kernels before 5.9 have no close_range(2). */
long op_close_range(const struct restorer_op *op)
{
	enum { AT_MOST = 1 << 16 };
	long ret = sys(__NR_close_range, op->arg[0], op->arg[1], 0, 0, 0);

	if (ret != -BLOB_ENOSYS)
		return ret;
	for (__u64 fd = op->arg[0]; fd <= op->arg[1] && fd - op->arg[0] < AT_MOST; fd++)
		sys(__NR_close, fd, 0, 0, 0, 0);
	return 0;
}

long op_sigaction(const struct ctx *ctx, const struct restorer_op *op)
{
	const struct restorer_sigaction *action = at(ctx, op->arg[1]);
	struct kernel_sigaction kernel = {
		.handler = (unsigned long)action->handler,
		.flags = (unsigned long)action->flags,
		.restorer = (unsigned long)action->restorer,
		.mask = action->mask,
	};

	return sys(__NR_rt_sigaction, op->arg[0], &kernel, 0, KERNEL_SIGSET_SIZE, 0);
}

/* The kernel takes any siginfo from a thread for itself. */
long op_sigqueue(const struct ctx *ctx, const struct restorer_op *op)
{
	void *info = at(ctx, op->arg[2]);

	if (op->arg[1])
		return sys(__NR_rt_tgsigqueueinfo, ctx->prog->pid, op->arg[1], op->arg[0], info, 0);
	return sys(__NR_rt_sigqueueinfo, ctx->prog->pid, op->arg[0], info, 0, 0);
}

long op_altstack(const struct restorer_op *op)
{
	struct kernel_stack stack = {
		.sp = (unsigned long)op->arg[0],
		.size = (unsigned long)op->arg[1],
		.flags = (int)op->arg[2] & ~SS_ONSTACK, /* a state, not a setting */
	};

	return sys(__NR_sigaltstack, &stack, 0, 0, 0, 0);
}

/* 2 cannot be set: the kernel gives it after a change of credentials, or never. */
long op_dumpable(const struct restorer_op *op)
{
	long now = sys_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);

	if (now == (long)op->arg[0])
		return 0;
	return sys_prctl(PR_SET_DUMPABLE, op->arg[0] == 1, 0, 0, 0);
}
