/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What only ptrace shows of a thread, and sets: registers, signal mask, pending signals, rseq,
 * seccomp filters. Both directions; the thread stands in a ptrace-stop of the calling thread.
 */
#ifndef CRIB_TASK_THREAD_STATE_H
#define CRIB_TASK_THREAD_STATE_H

#include <compel/compel.h>

#include "base/err.h"
#include "model/snapshot.h"

/*
 * Dump: completes thread->core: mtype, thread_info of this architecture (clear_tid_addr is given),
 * blk_sigset, signals_p, rseq_entry, seccomp_filter; of the leader also tc's blk_sigset and
 * signals_s. Chains of seccomp filters go to snap->seccomp, equal ones once.
 * A thread inside a system call that the kernel would restart is saved as standing in front of it;
 * one inside a restartable sequence, at its abort handler. 0 or -errno.
 */
int thread_state_extract(struct snapshot *snap, struct thread *thread, uint64_t clear_tid_addr,
			 struct err *err);

/*
 * Restore: the thread is borrowed by compel_prepare(); puts it into strict seccomp mode if it was in
 * that (suspended until detach), sets FPU state, and makes general registers and signal mask what
 * compel_finish() will give it. 0 or -errno.
 */
int thread_state_apply(const struct thread *thread, struct compel_task *task, struct err *err);

#endif /* CRIB_TASK_THREAD_STATE_H */
