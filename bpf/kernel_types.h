/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's structs, cut down to the fields that crib reads. Offsets, sizes and bit positions
 * are put in by CO-RE when the programs are loaded, so order and size here mean nothing; what
 * counts is each field's name, that a number is a number and a struct a struct, and that a number
 * is as wide as in the kernel. NAME___since_MM (flavours) are the same struct of other kernels.
 * Documentation/kernel-fields says since when each field is named so.
 */
#ifndef CRIB_BPF_KERNEL_TYPES_H
#define CRIB_BPF_KERNEL_TYPES_H

#include <linux/types.h>
#include <stdbool.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* ---- Lists ---- */

struct list_head {
	struct list_head *next;
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

/* ---- Files and names ---- */

struct qstr {
	u32 len;
	const unsigned char *name;
};

struct inode;
struct super_block;

struct dentry {
	struct hlist_bl_node d_hash;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
};

struct super_block {
	u32 s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
};

struct inode {
	u16 i_mode;
	struct super_block *i_sb;
	u64 i_ino;
	u32 i_nlink;
	u32 i_rdev;
	s64 i_size;
	void *i_flctx; /* CONFIG_FILE_LOCKING; NULL: nobody has ever locked it */
	void *i_private;
};

struct inode___since_6_11 {
	s64 i_mtime_sec;
	u32 i_mtime_nsec;
};

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};

struct inode___since_6_7 {
	struct timespec64 __i_mtime;
};

struct inode___before_6_7 {
	struct timespec64 i_mtime;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
	int mnt_id;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	u32 f_flags;
	s64 f_pos;
	void *private_data;
};

struct backing_file {
	struct path user_path;
};

/* ---- Memory ---- */

struct maple_tree {
	void *ma_root;
};

struct maple_range_64 {
	unsigned long pivot[15];
	void *slot[16];
};

struct maple_arange_64 {
	unsigned long pivot[9];
	void *slot[10];
};

struct mm_struct {
	struct maple_tree mm_mt;
	int map_count;
	unsigned long start_code, end_code, start_data, end_data;
	unsigned long start_brk, brk, start_stack;
	unsigned long arg_start, arg_end, env_start, env_end;
	unsigned long saved_auxv[1];
	struct file *exe_file;
};

struct vm_operations_struct {
	const char *(*name)(void *vma);
};

struct vm_special_mapping {
	const char *name;
};

struct anon_vma_name {
	char name[1];
};

struct anon_vma;

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	unsigned long vm_flags;
	struct anon_vma *anon_vma;
	const struct vm_operations_struct *vm_ops;
	unsigned long vm_pgoff;
	struct file *vm_file;
	void *vm_private_data;
};

/* With CONFIG_ANON_VMA_NAME only. */
struct vm_area_struct___named {
	struct {
	} shared;
	struct anon_vma_name *anon_name;
};

/* ---- Descriptor tables ---- */

struct fdtable {
	u32 max_fds;
	struct file **fd;
	unsigned long *close_on_exec;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	int umask;
	struct path root;
	struct path pwd;
};

/* ---- Namespaces and pids ---- */

struct proc_ns_operations {
	const char *name;
};

struct ns_common {
	const struct proc_ns_operations *ops;
	u32 inum;
};

struct pid_namespace {
	struct ns_common ns;
	struct task_struct *child_reaper;
};

struct net {
	struct ns_common ns;
};

struct ipc_namespace {
	struct ns_common ns;
};

struct uts_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct user_namespace {
	struct ns_common ns;
};

struct cgroup_namespace {
	struct ns_common ns;
};

struct time_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct net *net_ns;
	struct ipc_namespace *ipc_ns;
	struct uts_namespace *uts_ns;
	struct mnt_namespace *mnt_ns;
	struct cgroup_namespace *cgroup_ns;
	struct time_namespace *time_ns;
	struct time_namespace *time_ns_for_children;
	struct pid_namespace *pid_ns_for_children;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	u32 level;
	struct hlist_head tasks[4];
	struct upid numbers[1];
};

/* ---- Timers ---- */

struct hrtimer_clock_base {
	int clockid;
};

struct timerqueue_node {
	s64 expires;
};

struct hrtimer {
	struct timerqueue_node node;
	struct hrtimer_clock_base *base;
};

struct hrtimer___before_7_2 {
	u8 state;
};

struct hrtimer___by_7_2 {
	bool is_queued;
};

struct alarm {
	struct timerqueue_node node;
	int state;
};

struct cpu_timer {
	struct timerqueue_node node;
	struct pid *pid;
};

struct kernel_siginfo {
	int si_signo;
};

struct sigqueue {
	struct kernel_siginfo info;
};

struct k_itimer {
	struct hlist_node list;
	int it_id;
	int it_clock;
	int it_sigev_notify;
	s64 it_overrun;
	s64 it_overrun_last;
	s64 it_interval;
	struct signal_struct *it_signal;
	struct pid *it_pid;
	union {
		struct {
			struct hrtimer timer;
		} real;
		struct cpu_timer cpu;
		struct {
			struct alarm alarmtimer;
		} alarm;
	} it;
};

struct k_itimer___since_6_13 {
	int it_status;
	struct sigqueue sigq;
};

struct k_itimer___before_6_13 {
	int it_active;
	int it_requeue_pending;
	struct sigqueue *sigq;
};

typedef struct {
	s64 counter;
} atomic64_t;

struct task_cputime_atomic {
	atomic64_t utime, stime, sum_exec_runtime;
};

struct thread_group_cputimer {
	struct task_cputime_atomic cputime_atomic;
};

struct cpu_itimer {
	u64 expires, incr;
};

/* ---- Tasks ---- */

/* Numbers that the kernel wraps in structs: kuid_t, kgid_t, kernel_cap_t. */
struct wrapped {
};

struct group_info {
	int ngroups;
	struct wrapped gid[1];
};

struct cred {
	struct wrapped uid, suid, euid, fsuid, gid, sgid, egid, fsgid;
	u32 securebits;
	struct wrapped cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
	struct user_namespace *user_ns;
	struct group_info *group_info;
};

struct tty_driver {
	int major, minor_start;
};

struct tty_struct {
	struct tty_driver *driver;
	int index;
	struct {
		struct pid *pgrp;
	} ctrl;
};

struct k_sigaction {
};

struct sighand_struct {
	struct k_sigaction action[64];
};

struct rlimit {
};

struct signal_struct {
	int nr_threads;
	struct list_head thread_head;
	int group_exit_code;
	u32 flags;
	u32 is_child_subreaper : 1;
	struct hlist_head posix_timers;
	struct hrtimer real_timer;
	s64 it_real_incr;
	struct cpu_itimer it[2];
	struct thread_group_cputimer cputimer;
	struct pid *pids[4];
	struct tty_struct *tty;
	struct rlimit rlim[16];
	s16 oom_score_adj;
};

struct sched_entity {
	u64 sum_exec_runtime;
};

struct sched_entity___since_6_12 {
	u8 custom_slice;
	u64 slice;
};

struct sched_dl_entity {
	u64 dl_runtime, dl_deadline, dl_period;
	u32 flags;
};

typedef struct {
	int counter;
} atomic_t;

struct seccomp {
	int mode;
	atomic_t filter_count;
};

/* ipc/sem.c */
struct sem_undo_list {
	struct list_head list_proc;
};

struct sem_undo {
	struct list_head list_proc;
	int semid;
};

struct sysv_sem {
	struct sem_undo_list *undo_list;
};

struct restart_block {
	struct {
		u32 *uaddr;
	} futex; /* the first of a union */
};

struct cpumask;

struct task_struct {
	u32 __state;
	u32 flags;
	int exit_state, exit_code, exit_signal, pdeath_signal;
	u32 personality;
	u32 sched_reset_on_fork : 1;
	unsigned long atomic_flags;
	u32 policy;
	int static_prio;
	u32 rt_priority;
	struct sched_entity se;
	struct sched_dl_entity dl;
	const struct cpumask *cpus_ptr;
	struct mm_struct *mm;
	struct restart_block restart_block;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	struct list_head thread_node;
	int *clear_child_tid;
	u64 utime, stime;
	u64 start_boottime;
	const struct cred *real_cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct sighand_struct *sighand;
	unsigned long sas_ss_sp, sas_ss_size;
	u32 sas_ss_flags;
	u64 timer_slack_ns;
};

/* What a kernel may be built without. */
struct task_struct___seccomp {
	struct seccomp seccomp;
};

struct task_struct___sysvipc {
	struct sysv_sem sysvsem;
};

struct robust_list_head;

struct futex_sched_data {
	struct robust_list_head *robust_list;
};

struct task_struct___by_7_2 {
	struct futex_sched_data futex;
};

struct task_struct___before_7_2 {
	struct robust_list_head *robust_list;
};

enum task_dumpable { TASK_DUMPABLE_ENUM };

struct task_exec_state {
	enum task_dumpable dumpable;
};

struct task_struct___with_exec_state {
	struct task_exec_state *exec_state;
};

/* With CONFIG_MEMBARRIER only. */
struct mm_struct___membarrier {
	atomic_t membarrier_state;
};

/* mm->flags was a number, and is a struct around a bitmap. */
struct mm_flags {
	unsigned long __mm_flags[1];
};

struct mm_struct___since_6_18 {
	struct mm_flags flags;
};

struct mm_struct___before_6_18 {
	unsigned long flags;
};

#pragma clang attribute pop

#endif /* CRIB_BPF_KERNEL_TYPES_H */
