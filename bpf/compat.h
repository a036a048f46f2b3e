/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernels have under different names or in different types: the newest first, and for each
 * older one the commit or version that changed it.
 */
#ifndef CRIB_BPF_COMPAT_H
#define CRIB_BPF_COMPAT_H

#include "run.h"

/* include/uapi/linux/magic.h */
#define NSFS_MAGIC 0x6e736673

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

#endif /* CRIB_BPF_COMPAT_H */
