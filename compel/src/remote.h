/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * What call.c and remote.c share: where a borrowed thread stands, and how many are moved at once.
 */
#ifndef CRIB_COMPEL_REMOTE_H
#define CRIB_COMPEL_REMOTE_H

#include "internal.h"

/* Where a borrowed thread stands. */
enum compel_phase {
	COMPEL_PHASE_EVENT, /* in an event-stop, with the kernel's restart decision still to come */
	COMPEL_PHASE_CALL,  /* in another stop, with registers of ours */
	COMPEL_PHASE_GONE,  /* dead */
	COMPEL_PHASE_LOST,  /* running, and not to be stopped */
	COMPEL_PHASE_DONE,
};

/* Notes that the thread is dead and says so: -ESRCH. */
int compel_task_gone(struct compel_task *task, struct compel_error *err);

/* A ptrace call failed: -ESRCH is the only failure that says something about the thread. */
int compel_task_lost(struct compel_task *task, int ret);

/*
 * Runs the thread to its next system call stop: begins with it, and waits for it. In between other
 * threads can be begun with, so that the kernel wakes them all while the first one is waited for.
 */
int compel_run_begin(struct compel_task *task, struct compel_error *err);
int compel_run_end(struct compel_task *task, struct compel_error *err);

/*
 * The thread runs and the time is over: interrupts it, so that it stands again, and describes that.
 * The stop may be the end of a system call or an event-stop before or after it. -ETIMEDOUT.
 */
int compel_recall(struct compel_task *task, struct compel_error *err);

/*
 * What came instead of the stop that is waited for. With all signals blocked only SIGSTOP and stop
 * requests can; lets the thread run on with PTRACE_SYSCALL or PTRACE_CONT as @request. SIGSTOP is
 * let through at once: only then does the kernel cancel it when SIGCONT follows. The process then
 * counts as stopped, this thread runs on. 0 or -errno.
 */
int compel_run_on(struct compel_task *task, int request, const struct compel_wait *wait,
		  struct compel_error *err);

/*
 * The way home of a thread: is written, if there is one, before its first context of ours; gets a
 * call that will be made on the way, before all that were added earlier; loses these again; and
 * ends when the thread has its own registers. It is forgotten when the thread is not to be had.
 */
void compel_home_build(struct compel_task *task);
int compel_home_add(struct compel_task *task, long nr, const uint64_t args[6],
		    struct compel_error *err);
int compel_home_add_pause(struct compel_task *task, struct compel_error *err);
void compel_home_cut(struct compel_task *task);
void compel_home_end(struct compel_task *task);
void compel_home_forget(struct compel_task *task);

/* As compel_mem_read() from below the stack pointer: the stack is made to grow where it can. */
int compel_stack_read(pid_t tid, uint64_t addr, void *data, size_t size, struct compel_error *err);

/* Gives the thread registers of ours, with a stack pointer that leads home, and then a mask. */
int compel_enter(struct compel_task *task, const struct compel_regs *regs, uint64_t mask,
		 struct compel_error *err);

/* Whether compel_syscall() refuses that call. */
bool compel_is_refused(long nr);

/* Writes compel_arch.row_code to @addr. */
int compel_row_write_code(const struct compel_task *task, uint64_t addr, struct compel_error *err);

/* One step of what is done to a thread, up to a point where it is to be waited for. */
typedef int compel_stage(struct compel_task *task, struct compel_error *err);

/*
 * Takes all of @tasks through the stages, of which the last is followed by NULL: every thread
 * through the first, then every thread through the second. One that fails, in task->ret, is left
 * out of the later ones, as is one whose task->ret is not 0 at the beginning. Returns the first
 * failure, which alone is described.
 */
int compel_run_stages(struct compel_task *const *tasks, size_t nr, compel_stage *const *stages,
		      struct compel_error *err);

#endif /* CRIB_COMPEL_REMOTE_H */
