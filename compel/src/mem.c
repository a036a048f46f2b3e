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

#include "remote.h"

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
		ssize_t done = write ? process_vm_writev(tid, &local, 1, &remote, 1, 0) :
				       process_vm_readv(tid, &local, 1, &remote, 1, 0);

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

static uint64_t page_size(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static size_t mapped_size(const struct compel_scratch *scratch)
{
	return scratch->size + (scratch->kind == COMPEL_SCRATCH_CODE ? page_size() : 0);
}

/* Where to map in the thread's address space: where the kernel puts nothing by itself. */
static int choose_addr(const struct compel_task *task, const struct compel_scratch *scratch,
		       uint64_t *ret_addr, struct compel_error *err)
{
	struct compel_range gap = scratch->gap;
	int ret = gap.end == gap.start ? compel_gap_find(task->tid, &gap, err) : 0;

	if (ret < 0)
		return ret;
	uint64_t page = page_size(), room = (gap.end - gap.start) / 4;

	if (room < page || room < mapped_size(scratch))
		return compel_fail(err, -ENOMEM, "thread %d: no room for a mapping", task->tid);
	/* Two processes may share an address space, and each have a mapping in it. */
	uint64_t at = gap.start + room + (uint64_t)task->tid * 0x9e3779b97f4a7c15 % room;
	*ret_addr = at / page * page;
	return 0;
}

/*
 * The mapping is to go on the way home, whether it was made by then or not. So it is known before
 * where it will be.
 */
static int scratch_lead_home(struct compel_task *task, const struct compel_scratch *scratch,
			     uint64_t *ret_addr, struct compel_error *err)
{
	uint64_t addr = 0;
	int ret = choose_addr(task, scratch, &addr, err);

	if (ret == 0) {
		const uint64_t args[6] = { addr, mapped_size(scratch) };

		ret = compel_home_add(task, SYS_munmap, args, err);
	}
	if (ret == 0 && scratch->shared)
		ret = compel_home_add_pause(task, err);
	if (ret == 0)
		*ret_addr = addr;
	return ret;
}

static int scratch_map_call(struct compel_task *task, struct compel_scratch *scratch,
			    struct compel_error *err)
{
	bool code = scratch->kind == COMPEL_SCRATCH_CODE;
	uint64_t page = page_size(), addr = 0;

	scratch->size = (size_t)((scratch->size + page - 1) & ~(page - 1));
	int ret = task->home.sp ? scratch_lead_home(task, scratch, &addr, err) : 0;
	if (ret < 0)
		return ret;
	task->call = (struct compel_call){
		.nr = compel_arch.nr_mmap,
		.args = { addr, mapped_size(scratch), PROT_READ | (code ? PROT_EXEC : PROT_WRITE),
			  MAP_PRIVATE | MAP_ANONYMOUS | (addr ? MAP_FIXED_NOREPLACE : 0),
			  (uint64_t)-1, 0 },
	};
	return 0;
}

/* What the call of scratch_map_call() answered. */
static int scratch_mapped(struct compel_task *task, struct compel_scratch *scratch,
			  struct compel_error *err)
{
	int64_t addr = task->call.val;

	if (addr < 0 && addr > -4096) {
		compel_home_cut(task);
		return compel_fail_errno(err, (int)addr, "mmap of %zu bytes in thread %d",
					 scratch->size, task->tid);
	}
	scratch->addr = (uint64_t)addr;
	if (scratch->kind == COMPEL_SCRATCH_CODE) {
		scratch->code = scratch->addr;
		scratch->leave =
			scratch->code + (uint64_t)(compel_arch.row_leave - compel_arch.row_code);
		scratch->addr += page_size();
	}
	return 0;
}

/*
 * Nothing is ever both writable and executable, nor becomes executable after it was mapped, so that
 * PR_SET_MDWE allows it: all was mapped for executing, and behind the code that ends here.
 */
static void scratch_protect_call(struct compel_task *task, const struct compel_scratch *scratch)
{
	task->call = (struct compel_call){ .nr = COMPEL_NO_CALL };
	if (task->ret == 0 && scratch->kind == COMPEL_SCRATCH_CODE)
		task->call = (struct compel_call){
			.nr = SYS_mprotect,
			.args = { scratch->addr, scratch->size, PROT_READ | PROT_WRITE },
		};
}

static int scratch_protected(struct compel_task *task, struct compel_scratch *scratch,
			     struct compel_error *err)
{
	int ret = task->ret;

	if (task->call.nr == COMPEL_NO_CALL)
		return 0;
	if (ret == 0 && task->call.val < 0)
		ret = compel_fail_errno(err, (int)task->call.val, "mprotect in thread %d",
					task->tid);
	if (ret == 0)
		ret = compel_row_write_code(task, scratch->code, err);
	if (ret < 0)
		compel_scratch_close(task, scratch, NULL);
	return ret;
}

static int scratch_borrow(struct compel_task *task, struct compel_scratch *scratch,
			  struct compel_error *err)
{
	uint64_t sp = compel_arch.sp(&task->regs);
	uint64_t top = sp < compel_arch.red_zone ? 0 : sp - compel_arch.red_zone;

	if (task->home.sp && task->home.below)
		top = task->home.addr;
	if (top < scratch->size)
		return compel_fail(err, -EFAULT, "thread %d: no stack at 0x%llx", task->tid,
				   (unsigned long long)sp);
	scratch->addr = (top - scratch->size) & ~15ULL;
	scratch->saved = malloc(scratch->size);
	if (!scratch->saved)
		return compel_fail_errno(err, -ENOMEM, "memory for %zu bytes of stack",
					 scratch->size);
	int ret = compel_stack_read(task->tid, scratch->addr, scratch->saved, scratch->size, err);
	if (ret < 0) {
		free(scratch->saved);
		scratch->saved = NULL;
	}
	return ret;
}

/* Where no call is needed its result is the one of this function. */
static void scratch_begin(struct compel_task *task, struct compel_scratch *scratch,
			  struct compel_error *err)
{
	int ret = 0;

	task->call = (struct compel_call){ .nr = COMPEL_NO_CALL };
	scratch->saved = NULL;
	scratch->code = 0;
	scratch->leave = 0;
	compel_home_build(task);
	if (scratch->size == 0 || scratch->size > SIZE_MAX / 2)
		ret = compel_fail(err, -EINVAL, "scratch memory of %zu bytes in thread %d",
				  scratch->size, task->tid);
	else if (scratch->kind == COMPEL_SCRATCH_STACK)
		ret = scratch_borrow(task, scratch, err);
	else if (scratch->kind == COMPEL_SCRATCH_CODE && !compel_arch.row_code)
		ret = compel_fail(err, -EOPNOTSUPP, "thread %d: no code for calls in a row",
				  task->tid);
	else
		ret = scratch_map_call(task, scratch, err);
	if (task->call.nr == COMPEL_NO_CALL)
		task->call.val = ret;
}

/* The second part of opening, for those where the first succeeded. */
static int scratch_protect_many(struct compel_task *const *tasks, size_t nr,
				struct compel_scratch *scratches, int first,
				struct compel_error *err)
{
	bool any = false;

	for (size_t i = 0; i < nr; i++) {
		tasks[i]->failed = tasks[i]->ret;
		scratch_protect_call(tasks[i], &scratches[i]);
		any = any || tasks[i]->call.nr != COMPEL_NO_CALL;
	}
	if (!any)
		return first;
	int ret = compel_syscall_many(tasks, nr, first ? NULL : err);
	first = first ? first : ret;
	for (size_t i = 0; i < nr; i++) {
		ret = scratch_protected(tasks[i], &scratches[i], first ? NULL : err);
		tasks[i]->ret = tasks[i]->failed ? tasks[i]->failed : ret;
		first = first ? first : ret;
	}
	return first;
}

int compel_scratch_open_many(struct compel_task *const *tasks, size_t nr,
			     struct compel_scratch *scratches, struct compel_error *err)
{
	int first = 0;

	for (size_t i = 0; i < nr; i++) {
		scratch_begin(tasks[i], &scratches[i], first ? NULL : err);
		if (first == 0 && tasks[i]->call.nr == COMPEL_NO_CALL)
			first = (int)tasks[i]->call.val;
	}
	int ret = compel_syscall_many(tasks, nr, first ? NULL : err);
	first = first ? first : ret;
	for (size_t i = 0; i < nr; i++) {
		struct compel_task *task = tasks[i];

		if (task->call.nr == COMPEL_NO_CALL)
			task->ret = (int)task->call.val;
		else if (task->ret == 0)
			task->ret = scratch_mapped(task, &scratches[i], first ? NULL : err);
		if (task->ret < 0)
			scratches[i].size = 0;
		first = first ? first : task->ret;
	}
	return scratch_protect_many(tasks, nr, scratches, first, err);
}

int compel_scratch_open(struct compel_task *task, enum compel_scratch_kind kind, size_t size,
			struct compel_scratch *ret_scratch, struct compel_error *err)
{
	struct compel_scratch scratch = { .kind = kind, .size = size };
	int ret = compel_scratch_open_many(&task, 1, &scratch, err);

	if (ret == 0)
		*ret_scratch = scratch;
	return ret;
}

static int scratch_end(struct compel_task *task, struct compel_scratch *scratch,
		       struct compel_error *err)
{
	int ret = task->ret;

	if (scratch->saved)
		ret = compel_mem_write(task->tid, scratch->addr, scratch->saved, scratch->size,
				       err);
	else if (ret == 0 && task->call.nr != COMPEL_NO_CALL && task->call.val < 0)
		ret = compel_fail_errno(err, (int)task->call.val, "munmap of 0x%llx in thread %d",
					(unsigned long long)scratch->addr, task->tid);
	free(scratch->saved);
	*scratch = (struct compel_scratch){ .kind = scratch->kind };
	return ret;
}

int compel_scratch_close_many(struct compel_task *const *tasks, size_t nr,
			      struct compel_scratch *scratches, struct compel_error *err)
{
	for (size_t i = 0; i < nr; i++) {
		const struct compel_scratch *scratch = &scratches[i];
		bool mapped = scratch->size && scratch->kind != COMPEL_SCRATCH_STACK;
		uint64_t start = scratch->code ? scratch->code : scratch->addr;

		/* From this call on it is not to be taken away again. */
		if (mapped)
			compel_home_cut(tasks[i]);
		tasks[i]->call = (struct compel_call){
			.nr = mapped ? SYS_munmap : COMPEL_NO_CALL,
			.args = { start, scratch->addr - start + scratch->size },
		};
	}
	int first = compel_syscall_many(tasks, nr, err);

	for (size_t i = 0; i < nr; i++) {
		tasks[i]->ret = scratch_end(tasks[i], &scratches[i], first ? NULL : err);
		first = first ? first : tasks[i]->ret;
	}
	return first;
}

int compel_scratch_close(struct compel_task *task, struct compel_scratch *scratch,
			 struct compel_error *err)
{
	return compel_scratch_close_many(&task, 1, scratch, err);
}
