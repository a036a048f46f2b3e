// SPDX-License-Identifier: GPL-2.0-only
/*
 * The parts of the restore program that concern the process as a whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/time.h>
#include <time.h>

#include "fd/fd_kind.h"
#include "restore/builder.h"

#define NSEC_PER_SEC UINT64_C(1000000000)
#define USEC_PER_SEC UINT64_C(1000000)

static struct op_list *leader(struct builder *b)
{
	return &b->threads[0];
}

static const TaskCoreEntry *task_core(const struct builder *b)
{
	return b->task->threads.v[0].core->tc;
}

static void build_sigaction(struct builder *b, int signo, const SaEntry *entry)
{
	struct restorer_sigaction action = { 0 };

	if (entry)
		action = (struct restorer_sigaction){
			.handler = entry->sigaction,
			.flags = entry->flags,
			.restorer = entry->restorer,
			.mask = entry->mask,
		};
	BUILDER_OP(b, leader(b), ROP_SIGACTION, (uint64_t)signo,
		   builder_data(b, &action, sizeof(action)));
}

/*
 * The list has no SIGKILL and no SIGSTOP. To ignore SIGCHLD for a moment drops one that the
 * children of this restore have sent.
 */
static int build_sigactions(struct builder *b)
{
	const TaskCoreEntry *core = task_core(b);
	int signo = 1;

	build_sigaction(b, SIGCHLD, NULL);
	for (size_t i = 0; i < core->n_sigactions; i++, signo++) {
		while (signo == SIGKILL || signo == SIGSTOP)
			signo++;
		if (signo > SIGRTMAX)
			return err_set(b->err, -EBADMSG,
				       "%zu signal actions: there are no more "
				       "than %zu",
				       core->n_sigactions, i);
		build_sigaction(b, signo, core->sigactions[i]);
	}
	return 0;
}

static void build_membarrier(struct builder *b)
{
	const TaskCoreEntry *core = task_core(b);

	for (unsigned int bit = 0; bit < 32; bit++) {
		if (!(core->membarrier_registration_mask & (1U << bit)))
			continue;
		BUILDER_OP(b, leader(b), ROP_MEMBARRIER, 1U << bit)->warning = RWARN_MEMBARRIER;
	}
}

int build_process(struct builder *b)
{
	const struct task *task = b->task;
	const struct program_env *env = b->env;

	if (task->mm->entry->thp_disabled)
		BUILDER_OP(b, leader(b), ROP_PRCTL, PR_SET_THP_DISABLE, 1)->warning = RWARN_THP;
	build_membarrier(b);
	if (task->fs && task->fs->entry && task->fs->entry->has_umask)
		BUILDER_OP(b, leader(b), ROP_UMASK, task->fs->entry->umask);
	if (env->root_fd >= 0)
		BUILDER_OP(b, leader(b), ROP_CHROOT, (uint64_t)env->root_fd);
	if (env->cwd_fd >= 0)
		BUILDER_OP(b, leader(b), ROP_FCHDIR, (uint64_t)env->cwd_fd);
	return build_sigactions(b);
}

static uint64_t timer_data(struct builder *b, const PosixTimerEntry *entry)
{
	uint64_t interval = entry->isec * NSEC_PER_SEC + entry->insec;
	uint64_t value = entry->vsec * NSEC_PER_SEC + entry->vnsec;
	struct restorer_timer timer = {
		.id = entry->it_id,
		.clock = (int32_t)entry->clock_id,
		.notify = (int32_t)entry->it_sigev_notify,
		.signo = (int32_t)entry->si_signo,
		.tid = entry->has_notify_thread_id ? entry->notify_thread_id : 0,
		.overrun = entry->overrun,
		.sigval = entry->sival_ptr,
		.interval_ns = interval,
		.value_ns = value ? value : interval,
	};

	return builder_data(b, &timer, sizeof(timer));
}

static bool is_pending_in(const SignalQueueEntry *queue, uint32_t timer_id)
{
	for (size_t i = 0; queue && i < queue->n_signals; i++)
		if (builder_signal_timer(queue->signals[i]) == (int64_t)timer_id)
			return true;
	return false;
}

/*
 * A clock that goes on by itself can be read back in time. A timer whose signal is pending stands
 * still until it is taken, and counts what it missed; one that had overrun can be brought there if
 * its signal comes to the leader.
 */
static enum restorer_timer_start start_of(const struct builder *b, const PosixTimerEntry *entry)
{
	pid_t tid = entry->it_sigev_notify == SIGEV_THREAD_ID && entry->has_notify_thread_id ?
			    entry->notify_thread_id :
			    0;
	bool steady = entry->clock_id == CLOCK_REALTIME || entry->clock_id == CLOCK_MONOTONIC ||
		      entry->clock_id == CLOCK_BOOTTIME;

	if (!steady || !(entry->isec || entry->insec) || !entry->si_signo ||
	    entry->it_sigev_notify == SIGEV_NONE)
		return RTIMER_FROM_NOW;
	if (!tid && is_pending_in(task_core(b)->signals_s, entry->it_id))
		return RTIMER_PENDING;
	array_each(const struct thread, thread, &b->task->threads)
		if (tid == thread->tid &&
		    is_pending_in(thread->core->thread_core->signals_p, entry->it_id))
			return RTIMER_PENDING;
	return entry->overrun && (!tid || tid == b->task->pid) ? RTIMER_OVERRUN : RTIMER_FROM_NOW;
}

bool builder_timer_sends(const struct builder *b, const SiginfoEntry *signal)
{
	const TaskTimersEntry *timers = task_core(b)->timers;
	int64_t id = builder_signal_timer(signal);

	for (size_t i = 0; timers && id >= 0 && i < timers->n_posix; i++)
		if (timers->posix[i]->it_id == id)
			return start_of(b, timers->posix[i]) == RTIMER_PENDING;
	return false;
}

/* A process loses its POSIX locks of a file when it closes any descriptor of it: after that. */
void build_posix_locks(struct builder *b)
{
	for (size_t i = 0; i < b->snap->locks.n; i++) {
		const FileLockEntry *lock = b->snap->locks.v[i];
		const struct flock range = { .l_type = (short)lock->type,
					     .l_whence = SEEK_SET,
					     .l_start = lock->start,
					     .l_len = lock->len };

		if (lock->pid == b->task->pid && fd_lock_is_posix(lock))
			BUILDER_OP(b, leader(b), ROP_FCNTL, (uint64_t)lock->fd, F_SETLK,
				   builder_data(b, &range, sizeof(range)));
	}
}

static int compare_timers(const void *a, const void *b)
{
	const PosixTimerEntry *const *left = a, *const *right = b;

	return (*left)->it_id < (*right)->it_id ? -1 : (*left)->it_id > (*right)->it_id;
}

static void arm_timers(struct builder *b, enum restorer_timer_start start)
{
	const TaskTimersEntry *timers = task_core(b)->timers;

	for (size_t i = 0; i < timers->n_posix; i++) {
		const PosixTimerEntry *entry = timers->posix[i];

		if (start_of(b, entry) == start &&
		    (entry->vsec || entry->vnsec || entry->isec || entry->insec))
			BUILDER_OP(b, leader(b), ROP_TIMER_ARM, timer_data(b, entry), start);
	}
}

/*
 * By ascending id: where ids cannot be asked for they come in that order. Those that had overrun are
 * armed at once, while no signal of theirs is pending; then those that send one; the others when
 * all else is done.
 */
int build_timers(struct builder *b)
{
	const TaskTimersEntry *timers = task_core(b)->timers;

	if (!timers)
		return 0;
	qsort(timers->posix, timers->n_posix, sizeof(*timers->posix), compare_timers);
	for (size_t i = 0; i < timers->n_posix; i++) {
		const PosixTimerEntry *entry = timers->posix[i];

		if (i && timers->posix[i - 1]->it_id == entry->it_id)
			return err_set(b->err, -EBADMSG, "two POSIX timers %u", entry->it_id);
		BUILDER_OP(b, leader(b), ROP_TIMER_CREATE, timer_data(b, entry));
	}
	arm_timers(b, RTIMER_OVERRUN);
	arm_timers(b, RTIMER_PENDING);
	return 0;
}

static void build_itimer(struct builder *b, int which, const ItimerEntry *entry)
{
	struct restorer_itimer timer = {
		.interval_us = entry->isec * USEC_PER_SEC + entry->iusec,
		.value_us = entry->vsec * USEC_PER_SEC + entry->vusec,
	};

	if (timer.value_us)
		BUILDER_OP(b, leader(b), ROP_ITIMER, (uint64_t)which,
			   builder_data(b, &timer, sizeof(timer)));
}

/*
 * When all threads have their credentials: each change of them resets dumpable. Personality at the
 * end, as some of its bits change what mmap(2) does; timers last, as they run from there on.
 */
int build_finish(struct builder *b)
{
	const MmEntry *mm = b->task->mm->entry;
	const TaskCoreEntry *core = task_core(b);

	if (mm->has_dumpable)
		BUILDER_OP(b, leader(b), ROP_DUMPABLE, (uint64_t)mm->dumpable);
	if (core->has_child_subreaper && core->child_subreaper)
		BUILDER_OP(b, leader(b), ROP_PRCTL, PR_SET_CHILD_SUBREAPER, 1);
	if ((int)core->personality != personality(0xffffffff))
		BUILDER_OP(b, leader(b), ROP_PERSONALITY, core->personality);
	if (core->timers) {
		arm_timers(b, RTIMER_FROM_NOW);
		build_itimer(b, ITIMER_REAL, core->timers->real);
		build_itimer(b, ITIMER_VIRTUAL, core->timers->virt);
		build_itimer(b, ITIMER_PROF, core->timers->prof);
	}
	return 0;
}
