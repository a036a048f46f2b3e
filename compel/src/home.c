/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * The way home, see compel.h: what is written into the memory of a borrowed thread, so that every
 * context that it is given leads back to its own one, whoever dies.
 *
 * Below the stack, from low addresses to high ones: signal frames of calls that are to be made on
 * the way, the frame of the thread's own context, a time span, and floating point state that all
 * frames have in common. Each frame stands where its context returns to, as if a handler had been
 * called with it; a return from there to rt_sigreturn takes the registers from it, and these make
 * the call and return to the next frame.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <time.h>

#include "remote.h"

enum {
	CALLS_MAX = 2,
	FPU_ALIGN = 64,
	/*
	 * Threads that use memory which another one takes away at the end have that long to leave
	 * it. They leave at once when the tracer dies, and some microseconds are enough.
	 */
	LEAVE_SECONDS = 1,
};

#define ALL_SIGNALS (~0ULL)

static size_t align_up(size_t size, size_t to)
{
	return (size + to - 1) / to * to;
}

static size_t frame_step(void)
{
	return align_up(compel_arch.frame_size, 16);
}

/* Offset of the floating point state from the first frame. */
static size_t fpu_offset(void)
{
	return align_up((CALLS_MAX + 1) * frame_step() + sizeof(struct timespec), FPU_ALIGN);
}

static uint64_t time_addr(const struct compel_home *home)
{
	return home->addr + (CALLS_MAX + 1) * frame_step();
}

int compel_stack_read(pid_t tid, uint64_t addr, void *data, size_t size, struct compel_error *err)
{
	uintptr_t word;

	if (compel_mem_read(tid, addr, data, size, NULL) == 0)
		return 0;
	/* Below what is mapped the kernel makes the stack grow for ptrace, as for the thread. */
	compel_ptrace(PTRACE_PEEKDATA, tid, (void *)(uintptr_t)addr, &word);
	return compel_mem_read(tid, addr, data, size, err);
}

/* Notes what is at the place, and writes @data there. Where that cannot be there is no way home. */
static void place(struct compel_task *task, const void *data)
{
	struct compel_home *home = &task->home;

	home->saved = malloc(home->size);
	if (home->saved &&
	    compel_stack_read(task->tid, home->addr, home->saved, home->size, NULL) == 0 &&
	    compel_mem_write(task->tid, home->addr, data, home->size, NULL) == 0)
		return;
	free(home->saved);
	home->saved = NULL;
	home->sp = 0;
}

/*
 * A thread that is on its first stack, or of which nobody knows, has the frames where the kernel
 * would put that of a signal. One that is elsewhere may have little room there, as coroutines
 * have; at the lower end of the first stack there is nothing.
 */
static void choose_place(struct compel_task *task, size_t size)
{
	uint64_t sp = compel_arch.sp(&task->regs) - compel_arch.red_zone;
	const struct compel_range *stack = &task->stack;
	struct compel_home *home = &task->home;

	home->size = size;
	home->below = stack->start == stack->end || (sp >= stack->start && sp < stack->end);
	if (home->below)
		home->addr = (sp - size) & ~(uint64_t)(FPU_ALIGN - 1);
	else
		home->addr = stack->start;
	if (home->addr > sp && home->below)
		home->size = 0; /* no stack at all */
}

static void build_frames(struct compel_task *task)
{
	struct compel_home *home = &task->home;
	struct compel_regs regs = task->regs;
	struct compel_fpu fpu;
	char *data = NULL;

	compel_fpu_init(&fpu, NULL, 0);
	size_t fpu_size =
		compel_fpu_get(task->tid, &fpu, NULL) == 0 ? compel_arch.fpu_size(&fpu) : 0;
	if (fpu_size)
		choose_place(task, fpu_offset() + fpu_size);
	if (fpu_size && home->size)
		data = calloc(1, home->size);
	if (data) {
		home->fpu = home->addr + fpu_offset();
		home->last = home->sp = home->addr + CALLS_MAX * frame_step();
		compel_arch.restart(&regs, false);
		compel_arch.write_frame(data + CALLS_MAX * frame_step(), &regs, task->sigmask,
					task->sigreturn, home->fpu);
		((struct timespec *)(data + (CALLS_MAX + 1) * frame_step()))->tv_sec =
			LEAVE_SECONDS;
		compel_arch.write_fpu(data + fpu_offset(), &fpu);
		place(task, data);
	}
	free(data);
	compel_fpu_fini(&fpu);
}

static void build_leave(struct compel_task *task)
{
	struct compel_home *home = &task->home;
	struct compel_regs regs = task->regs;
	char *data = calloc(1, compel_arch.leave_size);

	if (!data)
		return;
	home->size = compel_arch.leave_size;
	home->addr = compel_arch.sp(&regs) - compel_arch.red_zone - home->size;
	home->below = true;
	home->last = home->sp = home->addr;
	compel_arch.restart(&regs, true);
	compel_arch.write_leave(data, &regs, task->sigmask, task->leave);
	place(task, data);
	free(data);
}

void compel_home_build(struct compel_task *task)
{
	if (task->home.built)
		return;
	task->home.built = true;
	if (!task->sigreturn || !compel_arch.may_return(task->tid))
		return;
	if (task->leave)
		build_leave(task);
	else
		build_frames(task);
}

int compel_home_add(struct compel_task *task, long nr, const uint64_t args[6],
		    struct compel_error *err)
{
	struct compel_home *home = &task->home;
	struct compel_regs regs = task->regs;
	uint64_t sp = home->sp - frame_step();
	char frame[512] = { 0 };

	if (sp < home->addr || compel_arch.frame_size > sizeof(frame))
		return compel_fail(err, -ENOSPC, "thread %d: no room for one more call", task->tid);
	compel_arch.set_call(&regs, task->insn, nr, args);
	compel_arch.set_sp(&regs, home->sp);
	compel_arch.write_frame(frame, &regs, ALL_SIGNALS, task->sigreturn, home->fpu);
	int ret = compel_mem_write(task->tid, sp, frame, compel_arch.frame_size, err);
	if (ret == 0)
		home->sp = sp;
	return ret;
}

int compel_home_add_pause(struct compel_task *task, struct compel_error *err)
{
	const uint64_t args[6] = { time_addr(&task->home), 0 };

	return compel_home_add(task, SYS_nanosleep, args, err);
}

void compel_home_cut(struct compel_task *task)
{
	task->home.sp = task->home.last;
}

void compel_home_forget(struct compel_task *task)
{
	free(task->home.saved);
	task->home = (struct compel_home){ 0 };
}

void compel_home_end(struct compel_task *task)
{
	const struct compel_home *home = &task->home;

	if (home->saved)
		compel_mem_write(task->tid, home->addr, home->saved, home->size, NULL);
	compel_home_forget(task);
}

int compel_enter(struct compel_task *task, const struct compel_regs *regs, uint64_t mask,
		 struct compel_error *err)
{
	struct compel_regs home = *regs;

	compel_home_build(task);
	if (task->home.sp)
		compel_arch.set_sp(&home, task->home.sp);
	/* In this order: once the mask is another one the registers must lead back to it. */
	int ret = compel_regs_set(task->tid, &home, err);
	if (ret == 0 && !(task->masked && task->mask == mask)) {
		ret = compel_sigmask_set(task->tid, mask, err);
		task->masked = true;
		task->mask = mask;
	}
	return ret < 0 ? compel_task_lost(task, ret) : 0;
}
