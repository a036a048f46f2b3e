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

struct mnt_namespace;

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

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	u32 level;
	struct hlist_head tasks[4];
	struct upid numbers[1];
};

/* ---- Tasks ---- */

struct signal_struct;

struct task_struct {
	u32 __state;
	int exit_state;
	u32 flags;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct hlist_node pid_links[4];
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
};

struct signal_struct {
	int nr_threads;
};

#pragma clang attribute pop

#endif /* CRIB_BPF_KERNEL_TYPES_H */
