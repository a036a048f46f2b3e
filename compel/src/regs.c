/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Registers of a standing thread.
 */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "internal.h"

int compel_regset_get(pid_t tid, uint32_t note, void *data, size_t *size, struct compel_error *err)
{
	struct iovec iov = { .iov_base = data, .iov_len = *size };
	long ret = compel_ptrace(COMPEL_PTRACE_GETREGSET, tid, (void *)(uintptr_t)note, &iov);

	if (ret < 0)
		return compel_fail_errno(err, (int)ret, "PTRACE_GETREGSET 0x%x of thread %d", note,
					 tid);
	*size = iov.iov_len;
	return 0;
}

int compel_regset_set(pid_t tid, uint32_t note, const void *data, size_t size,
		      struct compel_error *err)
{
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = size };
	long ret = compel_ptrace(COMPEL_PTRACE_SETREGSET, tid, (void *)(uintptr_t)note, &iov);

	if (ret < 0)
		return compel_fail_errno(err, (int)ret, "PTRACE_SETREGSET 0x%x of thread %d", note,
					 tid);
	return 0;
}

int compel_regs_get(pid_t tid, struct compel_regs *ret_regs, struct compel_error *err)
{
	struct compel_regs regs;
	size_t size = sizeof(regs.native);
	int ret = compel_regset_get(tid, NT_PRSTATUS, &regs.native, &size, err);

	if (ret < 0)
		return ret;
	/* The kernel picks the layout by the mode the thread runs in: on x86 by its code segment.
	 */
	if (size != sizeof(regs.native))
		return compel_fail(err, -EOPNOTSUPP,
				   "thread %d runs 32-bit code, which this %s build cannot handle",
				   tid, compel_arch.name);
	*ret_regs = regs;
	return 0;
}

int compel_regs_set(pid_t tid, const struct compel_regs *regs, struct compel_error *err)
{
	return compel_regset_set(tid, NT_PRSTATUS, &regs->native, sizeof(regs->native), err);
}

void compel_fpu_init(struct compel_fpu *fpu, void *buf, uint32_t capacity)
{
	*fpu = (struct compel_fpu){ .data = buf, .capacity = buf ? capacity : 0 };
}

void compel_fpu_fini(struct compel_fpu *fpu)
{
	if (fpu->owned)
		free(fpu->data);
	compel_fpu_init(fpu, NULL, 0);
}

int compel_fpu_get(pid_t tid, struct compel_fpu *fpu, struct compel_error *err)
{
	int ret = 0;

	if (!fpu->data) {
		fpu->data = malloc(COMPEL_FPU_MAX);
		if (!fpu->data)
			return compel_fail_errno(err, -ENOMEM, "memory for FPU registers");
		fpu->capacity = COMPEL_FPU_MAX;
		fpu->owned = true;
	}
	for (const uint32_t *note = compel_arch.fpu_notes; *note; note++) {
		size_t size = fpu->capacity;

		ret = compel_regset_get(tid, *note, fpu->data, &size, err);
		if (ret == -ENODEV || ret == -EINVAL || ret == -EIO)
			continue; /* the machine or the kernel has none such: the next best */
		if (ret < 0)
			return ret;
		/* The kernel cuts silently at the buffer's end. */
		if (size == fpu->capacity && size < COMPEL_FPU_MAX)
			return compel_fail(err, -ENOSPC,
					   "FPU registers of thread %d: more than %u bytes", tid,
					   fpu->capacity);
		fpu->note = *note;
		fpu->size = (uint32_t)size;
		return 0;
	}
	fpu->note = 0;
	fpu->size = 0;
	return ret == -EINVAL || ret == -EIO ? ret : 0;
}

int compel_fpu_set(pid_t tid, const struct compel_fpu *fpu, struct compel_error *err)
{
	if (fpu->size == 0)
		return 0;
	return compel_regset_set(tid, fpu->note, fpu->data, fpu->size, err);
}

int compel_tls_get(pid_t tid, uint64_t *ret_tls, struct compel_error *err)
{
	int ret = compel_arch.tls_get(tid, ret_tls);

	return ret < 0 ? compel_fail_errno(err, ret, "thread pointer of thread %d", tid) : 0;
}

int compel_tls_set(pid_t tid, uint64_t tls, struct compel_error *err)
{
	if (!compel_arch.tls_set)
		return compel_fail(
			err, -EOPNOTSUPP,
			"thread %d: the thread pointer of %s is set by a system call only", tid,
			compel_arch.name);
	int ret = compel_arch.tls_set(tid, tls);

	return ret < 0 ? compel_fail_errno(err, ret, "thread pointer of thread %d", tid) : 0;
}
