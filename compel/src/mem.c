/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Memory of the target: reading, writing, and scratch space for arguments of system calls.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "internal.h"

/* The whole of it, or a negative errno. */
static int mem_copy(pid_t tid, uint64_t addr, void *data, size_t size, bool write)
{
	if (addr > UINTPTR_MAX || size > UINTPTR_MAX - addr)
		return -EFAULT;
	while (size) {
		struct iovec local = { .iov_base = data, .iov_len = size };
		struct iovec remote = {
			.iov_base = (void *)(uintptr_t)addr,
			.iov_len = size,
		};
		ssize_t done = write ? process_vm_writev(tid, &local, 1, &remote, 1, 0)
				     : process_vm_readv(tid, &local, 1, &remote, 1, 0);

		if (done < 0)
			return -errno;
		if (done == 0)
			return -EFAULT;
		data = (char *)data + done;
		addr += (uint64_t)done;
		size -= (size_t)done;
	}
	return 0;
}

int compel_mem_read(pid_t tid, uint64_t addr, void *data, size_t size, struct compel_error *err)
{
	int ret = mem_copy(tid, addr, data, size, false);

	if (ret < 0)
		return compel_fail_errno(err, ret,
					 "process_vm_readv of thread %d: %zu bytes at 0x%llx", tid,
					 size, (unsigned long long)addr);
	return 0;
}

int compel_mem_write(pid_t tid, uint64_t addr, const void *data, size_t size,
		     struct compel_error *err)
{
	int ret = mem_copy(tid, addr, (void *)(uintptr_t)data, size, true);

	if (ret < 0)
		return compel_fail_errno(err, ret,
					 "process_vm_writev of thread %d: %zu bytes at 0x%llx", tid,
					 size, (unsigned long long)addr);
	return 0;
}

static int scratch_map(struct compel_task *task, struct compel_scratch *scratch,
		       struct compel_error *err)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	scratch->size = (size_t)((scratch->size + page - 1) & ~(page - 1));

	const uint64_t args[6] = {
		0, scratch->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1,
		0,
	};
	int64_t addr;
	int ret = compel_syscall(task, compel_arch.nr_mmap, args, &addr, err);

	if (ret < 0)
		return ret;
	if (addr < 0 && addr > -4096)
		return compel_fail_errno(err, (int)addr, "mmap of %zu bytes in thread %d",
					 scratch->size, task->tid);
	scratch->addr = (uint64_t)addr;
	return 0;
}

static int scratch_borrow(struct compel_task *task, struct compel_scratch *scratch,
			  struct compel_error *err)
{
	uint64_t sp = compel_arch.sp(&task->regs);

	if (sp < compel_arch.red_zone || sp - compel_arch.red_zone < scratch->size)
		return compel_fail(err, -EFAULT, "thread %d: no stack at 0x%llx", task->tid,
				   (unsigned long long)sp);
	scratch->addr = (sp - compel_arch.red_zone - scratch->size) & ~15ULL;
	scratch->saved = malloc(scratch->size);
	if (!scratch->saved)
		return compel_fail_errno(err, -ENOMEM, "memory for %zu bytes of stack",
					 scratch->size);
	int ret = compel_mem_read(task->tid, scratch->addr, scratch->saved, scratch->size, err);
	if (ret < 0) {
		free(scratch->saved);
		scratch->saved = NULL;
	}
	return ret;
}

int compel_scratch_open(struct compel_task *task, enum compel_scratch_kind kind, size_t size,
			struct compel_scratch *ret_scratch, struct compel_error *err)
{
	struct compel_scratch scratch = { .kind = kind, .size = size };

	if (size == 0 || size > SIZE_MAX / 2)
		return compel_fail(err, -EINVAL, "scratch memory of %zu bytes in thread %d", size,
				   task->tid);
	int ret = kind == COMPEL_SCRATCH_MAP ? scratch_map(task, &scratch, err)
					     : scratch_borrow(task, &scratch, err);
	if (ret == 0)
		*ret_scratch = scratch;
	return ret;
}

static int scratch_unmap(struct compel_task *task, const struct compel_scratch *scratch,
			 struct compel_error *err)
{
	const uint64_t args[6] = { scratch->addr, scratch->size };
	int64_t val;
	int ret = compel_syscall(task, SYS_munmap, args, &val, err);

	if (ret < 0)
		return ret;
	if (val < 0)
		return compel_fail_errno(err, (int)val, "munmap of 0x%llx in thread %d",
					 (unsigned long long)scratch->addr, task->tid);
	return 0;
}

int compel_scratch_close(struct compel_task *task, struct compel_scratch *scratch,
			 struct compel_error *err)
{
	int ret;

	if (scratch->size == 0)
		return 0;
	if (scratch->kind == COMPEL_SCRATCH_MAP)
		ret = scratch_unmap(task, scratch, err);
	else
		ret = compel_mem_write(task->tid, scratch->addr, scratch->saved, scratch->size,
				       err);
	free(scratch->saved);
	*scratch = (struct compel_scratch){ .kind = scratch->kind };
	return ret;
}
