/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernels have under different names or in different types: the newest first, and for each
 * older one the commit or version that changed it.
 */
#ifndef CRIB_BPF_COMPAT_H
#define CRIB_BPF_COMPAT_H

#include "run.h"

/* include/uapi/linux/magic.h */
#define NSFS_MAGIC   0x6e736673

#define NSEC_PER_SEC 1000000000ULL

/* Field @field of the @type of some kernels only. */
#define has_field(type, field) bpf_core_field_exists(((type *)0)->field)

/*
 * inode->i_mtime_sec and i_mtime_nsec since Linux 6.11 (3aa63a569c64 "fs: switch timespec64 fields
 * in inode to discrete integers"), __i_mtime since 6.7 (12cd44023651 "fs: rename inode i_atime and
 * i_mtime fields"), i_mtime before.
 */
static __always_inline u64 inode_mtime_ns(const char *bulk, u64 inode)
{
	if (has_field(struct inode___since_6_11, i_mtime_sec))
		return bulk_field(bulk, struct inode___since_6_11, inode, i_mtime_sec) *
			       NSEC_PER_SEC +
		       bulk_field(bulk, struct inode___since_6_11, inode, i_mtime_nsec);
	if (has_field(struct inode___since_6_7, __i_mtime))
		return bulk_field(bulk, struct inode___since_6_7, inode, __i_mtime.tv_sec) *
			       NSEC_PER_SEC +
		       bulk_field(bulk, struct inode___since_6_7, inode, __i_mtime.tv_nsec);
	return bulk_field(bulk, struct inode___before_6_7, inode, i_mtime.tv_sec) * NSEC_PER_SEC +
	       bulk_field(bulk, struct inode___before_6_7, inode, i_mtime.tv_nsec);
}

/* hrtimer->is_queued since Linux 7.2 or shortly before, a state of one bit before. */
static __always_inline bool hrtimer_is_queued(u64 timer)
{
	if (has_field(struct hrtimer___by_7_2, is_queued))
		return field_of(timer, struct hrtimer___by_7_2, is_queued);
	return field_of(timer, struct hrtimer___before_7_2, state);
}

/*
 * k_itimer->it_status since Linux 6.13, in the series with "posix-timers: Embed sigqueue in struct
 * k_itimer"; it_active and it_requeue_pending before.
 */
static __always_inline u32 ptimer_status(u64 timer)
{
	if (has_field(struct k_itimer___since_6_13, it_status))
		return field_of(timer, struct k_itimer___since_6_13, it_status);
	if (field_of(timer, struct k_itimer___before_6_13, it_requeue_pending) & 1)
		return RAW_TIMER_PENDING;
	return field_of(timer, struct k_itimer___before_6_13, it_active) ? RAW_TIMER_ARMED :
									   RAW_TIMER_DISARMED;
}

/* k_itimer->sigq is embedded since Linux 6.13, was a pointer before. */
static __always_inline u64 ptimer_siginfo(u64 timer)
{
	u64 queue;

	if (has_field(struct k_itimer___since_6_13, it_status))
		queue = inside(timer, struct k_itimer___since_6_13, sigq);
	else
		queue = (u64)field_of(timer, struct k_itimer___before_6_13, sigq);
	return inside(queue, struct sigqueue, info);
}

/* task->futex.robust_list since Linux 7.2 or shortly before, task->robust_list before. */
static __always_inline u64 task_robust_list(u64 task)
{
	if (has_field(struct task_struct___by_7_2, futex))
		return (u64)field_of(task, struct task_struct___by_7_2, futex.robust_list);
	return (u64)field_of(task, struct task_struct___before_7_2, robust_list);
}

/* mm->flags is a mm_flags_t since Linux 6.18, an unsigned long before. */
static __always_inline u64 mm_flags_of(u64 mm)
{
	u64 flags = 0, at;

	if (has_field(struct mm_struct___since_6_18, flags))
		at = inside(mm, struct mm_struct___since_6_18, flags);
	else
		at = inside(mm, struct mm_struct___before_6_18, flags);
	if (mm)
		bpf_probe_read_kernel(&flags, sizeof(flags), (const void *)at);
	return flags;
}

/* task->exec_state->dumpable since Linux 7.2, two bits of mm->flags before. */
static __always_inline u32 task_dumpable(u64 task, u64 mm_flags)
{
	if (has_field(struct task_struct___with_exec_state, exec_state))
		return field_of(task, struct task_struct___with_exec_state, exec_state, dumpable);
	return mm_flags & 3;
}

/* What sched_getattr(2) says of ordinary policies since Linux 6.12: se.slice. */
static __always_inline u64 task_slice(u64 task)
{
	if (!has_field(struct sched_entity___since_6_12, custom_slice))
		return 0;
	return field_of(inside(task, struct task_struct, se), struct sched_entity___since_6_12,
			slice);
}

#endif /* CRIB_BPF_COMPAT_H */
