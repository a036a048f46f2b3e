// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory operations of the restorer blob.
 */
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/uio.h>

#include "blob.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

enum { IOV_ROOM = 64 }; /* on the stack of a thread, which is small */

static long unmap(__u64 start, __u64 end)
{
	return start < end ? sys(__NR_munmap, start, end - start, 0, 0, 0) : 0;
}

/* The region is none of the ranges and lies between two of them. */
long op_unmap_rest(const struct ctx *ctx, const struct restorer_op *op)
{
	const struct restorer_range *keep = at(ctx, op->arg[0]);
	__u64 region = ctx->prog->region_start, region_end = region + ctx->prog->region_size;
	__u64 from = 0;
	long ret = 0;

	for (__u64 i = 0; i <= op->arg[1] && !ret; i++) {
		__u64 to = i < op->arg[1] ? keep[i].start : op->arg[2];

		if (region >= from && region < to) {
			ret = unmap(from, region);
			from = region_end;
		}
		if (!ret)
			ret = unmap(from, to);
		if (i < op->arg[1])
			from = keep[i].start + keep[i].size;
	}
	return ret;
}

long op_mremap(const struct restorer_op *op)
{
	long ret = sys(__NR_mremap, op->arg[0], op->arg[1], op->arg[3],
		       MREMAP_MAYMOVE | MREMAP_FIXED, op->arg[2]);

	return (unsigned long)ret == (unsigned long)op->arg[2] ? 0 : ret;
}

long op_mmap(const struct restorer_op *op)
{
	long ret = sys_mmap(op->arg[0], op->arg[1], op->arg[2], op->arg[3], (long)op->arg[4],
			    op->arg[5]);

	return (unsigned long)ret == (unsigned long)op->arg[0] ? 0 : ret;
}

/* Reads until @n ranges, given as @iov, are full. 0 or -errno; a short file is -ENODATA. */
static long read_full(long fd, __u64 off, struct iovec *iov, unsigned long n)
{
	while (n) {
		long got = sys_preadv(fd, iov, n, off);

		if (got == -BLOB_EINTR)
			continue;
		if (got <= 0)
			return got ? got : -BLOB_ENODATA;
		off += (__u64)got;
		while (n && (unsigned long)got >= iov->iov_len) {
			got -= (long)iov->iov_len;
			iov++;
			n--;
		}
		if (n) {
			iov->iov_base = (char *)iov->iov_base + got;
			iov->iov_len -= (unsigned long)got;
		}
	}
	return 0;
}

long op_pread(const struct ctx *ctx, const struct restorer_op *op)
{
	const struct restorer_range *range = at(ctx, op->arg[2]);
	__u64 off = op->arg[1], left = op->arg[3];
	struct iovec iov[IOV_ROOM];

	while (left) {
		unsigned long n = 0;
		__u64 bytes = 0;

		for (; n < IOV_ROOM && n < left; n++, range++) {
			iov[n].iov_base = ptr(range->start);
			iov[n].iov_len = (unsigned long)range->size;
			bytes += range->size;
		}
		long ret = read_full((long)op->arg[0], off, iov, n);

		if (ret)
			return ret;
		off += bytes;
		left -= n;
	}
	return 0;
}

long op_copy(const struct ctx *ctx, const struct restorer_op *op)
{
	volatile unsigned char *to = ptr(op->arg[0]);
	const unsigned char *from = at(ctx, op->arg[1]);

	for (__u64 i = 0; i < op->arg[2]; i++)
		to[i] = from[i];
	return 0;
}

/* Kernels before 6.13 have no guard regions: no access at all protects as well. */
long op_guard(const struct restorer_op *op)
{
	long ret = sys(__NR_madvise, op->arg[0], op->arg[1], MADV_GUARD_INSTALL, 0, 0);

	if (ret == -BLOB_EINVAL)
		ret = sys(__NR_mprotect, op->arg[0], op->arg[1], PROT_NONE, 0, 0);
	return ret;
}

/*
 * mlock(2) fails for memory that cannot be touched, such as guard pages, although it is locked
 * then. Locking on fault fails only when locking is not permitted.
 */
long op_mlock(const struct restorer_op *op)
{
	long ret = sys(__NR_mlock2, op->arg[0], op->arg[1], MLOCK_ONFAULT, 0, 0);

	if (ret == -BLOB_ENOSYS)
		return sys(__NR_mlock, op->arg[0], op->arg[1], 0, 0, 0);
	if (!ret && !(op->arg[2] & MLOCK_ONFAULT))
		sys(__NR_mlock, op->arg[0], op->arg[1], 0, 0, 0);
	return ret;
}

long op_set_mm(const struct ctx *ctx, const struct restorer_op *op)
{
	const struct restorer_mm *mm = at(ctx, op->arg[0]);
	struct prctl_mm_map map = {
		.start_code = mm->start_code,
		.end_code = mm->end_code,
		.start_data = mm->start_data,
		.end_data = mm->end_data,
		.start_brk = mm->start_brk,
		.brk = mm->brk,
		.start_stack = mm->start_stack,
		.arg_start = mm->arg_start,
		.arg_end = mm->arg_end,
		.env_start = mm->env_start,
		.env_end = mm->env_end,
		.auxv = at(ctx, mm->auxv),
		.auxv_size = mm->auxv_size,
		.exe_fd = (__u32)mm->exe_fd,
	};
	long ret = sys_prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0);

	/* The link alone needs CAP_CHECKPOINT_RESTORE. */
	if (ret && ret != -BLOB_EINVAL && mm->exe_fd >= 0) {
		blob_warn(ctx, RWARN_EXE, ret);
		map.exe_fd = (__u32)-1;
		ret = sys_prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0);
	}
	/* -EINVAL: a kernel without CONFIG_CHECKPOINT_RESTORE; see op_set_mm_each(). */
	if (ret)
		ctx->prog->mm_left = 1;
	return 0;
}

/*
 * Each value must lie in a mapping and fit the others, which are still old when the first is set:
 * the second round gets what the first could not. Needs CAP_SYS_RESOURCE.
 */
long op_set_mm_each(const struct ctx *ctx, const struct restorer_op *op)
{
	const struct restorer_mm *mm = at(ctx, op->arg[0]);
	const struct {
		__u32 option;
		__u64 value;
	} each[] = {
		{ PR_SET_MM_START_CODE, mm->start_code },
		{ PR_SET_MM_END_CODE, mm->end_code },
		{ PR_SET_MM_START_DATA, mm->start_data },
		{ PR_SET_MM_END_DATA, mm->end_data },
		{ PR_SET_MM_START_STACK, mm->start_stack },
		{ PR_SET_MM_START_BRK, mm->start_brk },
		{ PR_SET_MM_BRK, mm->brk },
		{ PR_SET_MM_ARG_START, mm->arg_start },
		{ PR_SET_MM_ARG_END, mm->arg_end },
		{ PR_SET_MM_ENV_START, mm->env_start },
		{ PR_SET_MM_ENV_END, mm->env_end },
	};
	long ret = 0;

	if (!ctx->prog->mm_left)
		return 0;
	for (int round = 0; round < 3; round++) {
		ret = 0;
		for (unsigned int i = 0; i < ARRAY_SIZE(each); i++) {
			long one = sys_prctl(PR_SET_MM, each[i].option, each[i].value, 0, 0);

			ret = one ? one : ret;
		}
	}
	if (mm->auxv_size) {
		long one =
			sys_prctl(PR_SET_MM, PR_SET_MM_AUXV, at(ctx, mm->auxv), mm->auxv_size, 0);
		ret = one ? one : ret;
	}
	if (mm->exe_fd >= 0) {
		long one = sys_prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, mm->exe_fd, 0, 0);

		if (one)
			blob_warn(ctx, RWARN_EXE, one);
	}
	return ret;
}
