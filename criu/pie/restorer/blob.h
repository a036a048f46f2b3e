/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside the restorer blob: what its files share. No libc, no writable data, no pointer constants:
 * the blob runs wherever it is put.
 */
#ifndef CRIB_RESTORER_BLOB_H
#define CRIB_RESTORER_BLOB_H

#include "crib/compiler.h"
#include "crib/restorer_abi.h"
#include "sys.h"

#define BLOB_EINTR   4
#define BLOB_EAGAIN  11
#define BLOB_EPERM   1
#define BLOB_EINVAL  22
#define BLOB_ENOSYS  38
#define BLOB_ENODATA 61

/* What one thread runs with. */
struct ctx {
	struct restorer_header *prog;
	struct restorer_status *status;
	__s32 tid; /* as the kernel says it, in the task's pid namespace */
};

static inline void *at(const struct ctx *ctx, __u64 off)
{
	return (char *)ctx->prog + off;
}

/* The address of an argument, as wide as the machine has it. */
static inline void *ptr(__u64 addr)
{
	return (void *)(unsigned long)addr;
}

/* Marks what could not be brought back; @error is a negative errno. */
void blob_warn(const struct ctx *ctx, enum restorer_warning warning, long error);

/*
 * The ops. 0, or a negative errno, which ends the process unless the op has a warning.
 * mem.c
 */
long op_unmap_rest(const struct ctx *ctx, const struct restorer_op *op);
long op_mremap(const struct restorer_op *op);
long op_mmap(const struct restorer_op *op);
long op_pread(const struct ctx *ctx, const struct restorer_op *op);
long op_copy(const struct ctx *ctx, const struct restorer_op *op);
long op_guard(const struct restorer_op *op);
long op_mlock(const struct restorer_op *op);
long op_set_mm(const struct ctx *ctx, const struct restorer_op *op);
long op_set_mm_each(const struct ctx *ctx, const struct restorer_op *op);

/* task.c */
long op_chroot(const struct restorer_op *op);
long op_close_range(const struct restorer_op *op);
long op_sigaction(const struct ctx *ctx, const struct restorer_op *op);
long op_sigqueue(const struct ctx *ctx, const struct restorer_op *op);
long op_altstack(const struct restorer_op *op);
long op_dumpable(const struct restorer_op *op);

/* timer.c */
long op_timer_create(const struct ctx *ctx, const struct restorer_op *op);
long op_timer_arm(const struct ctx *ctx, const struct restorer_op *op);
long op_itimer(const struct ctx *ctx, const struct restorer_op *op);

/* creds.c */
long op_creds(const struct ctx *ctx, const struct restorer_op *op);

#endif /* CRIB_RESTORER_BLOB_H */
