// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and their paths, as d_path() of fs/d_path.c sees them from the caller's root. A directory
 * is sent once; the files in it name its number.
 */
#include "compat.h"
#include "run.h"

#define NAME_BYTES      255 /* NAME_MAX */

#define MAX_DEPTH       8192 /* directories and mounts of one path */

#define MNT_NS_INTERNAL (u64) - 22 /* fs/mount.h: ERR_PTR(-EINVAL) */
#define SB_KERNMOUNT    (1 << 22)  /* include/linux/fs.h */

/* Direct-mapped caches: who comes later takes the place. They are forgotten with a generation. */
#define MOUNT_SLOTS 64
#define SUPER_SLOTS 16
#define DIR_SLOTS   1024

struct mount_slot {
	u64 mnt; /* struct vfsmount */
	u64 root;
	u64 parent; /* struct vfsmount of the mount it is mounted on, 0: on none */
	u64 mountpoint;
	s32 id;
	u32 generation;
	u32 in_namespace;
	u32 is_private; /* a clone for the kernel's own use */
};

struct super_slot {
	u64 sb;
	u32 dev;
	u32 magic;
	u32 flags;
	u32 generation;
};

struct dir_slot {
	u64 mnt, dentry;
	u32 id;
	u32 generation;
};

struct walk_state {
	u64 mnt, dentry;
	u32 len;   /* bytes of the text so far */
	u32 reach; /* enum raw_reach, 0: still walking */
};

struct mount_slot mounts[MOUNT_SLOTS];
struct super_slot supers[SUPER_SLOTS];
struct dir_slot dirs[DIR_SLOTS];
struct walk_state walk;
char dir_record[sizeof(struct raw_dir) + RAW_DIR_MAX + 1 + 512];
/* The structs that are looked at. */
char dentry_bulk[BULK], inode_bulk[BULK];

extern struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} ring SEC(".maps");

static __always_inline u32 slot_of(u64 ptr, u32 slots)
{
	return (ptr * 0x9e3779b97f4a7c15ULL >> 40) & (slots - 1);
}

static __always_inline bool is_error_or_null(u64 ptr)
{
	return !ptr || ptr >= (u64)-4095;
}

/* Returns the slot that knows @mnt. */
static __always_inline struct mount_slot *mount_get(u64 mnt)
{
	struct mount_slot *slot = &mounts[slot_of(mnt, MOUNT_SLOTS)];
	u64 mount = mnt - bpf_core_field_offset(struct mount, mnt);

	if (slot->mnt == mnt && slot->generation == run.generation)
		return slot;
	u64 parent = (u64)field_of(mount, struct mount, mnt_parent);

	slot->mnt = mnt;
	slot->generation = run.generation;
	slot->root = (u64)field_of(mount, struct mount, mnt.mnt_root);
	slot->parent = parent == mount ? 0 : inside(parent, struct mount, mnt);
	slot->mountpoint = (u64)field_of(mount, struct mount, mnt_mountpoint);
	slot->id = field_of(mount, struct mount, mnt_id);
	u64 ns = (u64)field_of(mount, struct mount, mnt_ns);
	slot->in_namespace = !is_error_or_null(ns);
	slot->is_private = ns == MNT_NS_INTERNAL;
	return slot;
}

static __always_inline struct super_slot *super_get(u64 sb)
{
	struct super_slot *slot = &supers[slot_of(sb, SUPER_SLOTS)];

	if (slot->sb == sb && slot->generation == run.generation)
		return slot;
	slot->sb = sb;
	slot->generation = run.generation;
	slot->dev = field_of(sb, struct super_block, s_dev);
	slot->magic = field_of(sb, struct super_block, s_magic);
	slot->flags = field_of(sb, struct super_block, s_flags);
	return slot;
}

/* One step up, of a name or of a mount. */
static int walk_step(u32 i, void *unused)
{
	char *text = dir_record + sizeof(struct raw_dir);

	run.ticks++;
	if (walk.dentry == run.root_dentry && walk.mnt == run.root_mnt) {
		walk.reach = RAW_REACH_ROOT;
		return 1;
	}
	struct mount_slot *mount = mount_get(walk.mnt);
	if (walk.dentry == mount->root) {
		if (!mount->parent) {
			walk.reach = mount->in_namespace ? RAW_REACH_ABSOLUTE : RAW_REACH_NOWHERE;
			return 1;
		}
		walk.dentry = mount->mountpoint;
		walk.mnt = mount->parent;
		return 0;
	}
	read_bulk(dentry_bulk, struct dentry, walk.dentry);
	u64 parent = (u64)bulk_field(dentry_bulk, struct dentry, walk.dentry, d_parent);
	if (parent == walk.dentry) { /* it was moved out of what is mounted */
		walk.reach = RAW_REACH_ABSOLUTE;
		return 1;
	}
	u64 name = (u64)bulk_field(dentry_bulk, struct dentry, walk.dentry, d_name.name);
	u32 len = bulk_field(dentry_bulk, struct dentry, walk.dentry, d_name.len) & NAME_BYTES;
	if (walk.len + len + 1 > RAW_DIR_MAX) {
		walk.reach = RAW_REACH_TOO_LONG;
		return 1;
	}
	bpf_probe_read_kernel(text + (walk.len & RAW_DIR_MAX), len, (const void *)name);
	walk.len += len;
	text[walk.len & RAW_DIR_MAX] = '/';
	walk.len++;
	walk.dentry = parent;
	return 0;
}

/* The number of a directory, which is sent when nobody asked for it before; 0: the ring is full. */
__noinline u32 dir_number(u64 mnt, u64 dentry)
{
	struct dir_slot *slot = &dirs[slot_of(dentry ^ mnt >> 8, DIR_SLOTS)];
	struct raw_dir *raw = (struct raw_dir *)dir_record;

	if (slot->dentry == dentry && slot->mnt == mnt && slot->generation == run.generation)
		return slot->id;
	walk.mnt = mnt;
	walk.dentry = dentry;
	walk.len = 0;
	walk.reach = 0;
	bpf_loop(MAX_DEPTH, walk_step, NULL, 0);
	if (!walk.reach)
		walk.reach = RAW_REACH_TOO_LONG;
	raw->head.type = RAW_DIR;
	raw->head.target = run.target;
	raw->id = run.next_dir;
	raw->reach = walk.reach;
	raw->len = walk.len;
	if (bpf_ringbuf_output(&ring, dir_record, sizeof(struct raw_dir) + (walk.len & RAW_DIR_MAX),
			       BPF_RB_NO_WAKEUP)) {
		run.stopped = 1;
		return 0;
	}
	slot->mnt = mnt;
	slot->dentry = dentry;
	slot->generation = run.generation;
	slot->id = run.next_dir++;
	return slot->id;
}

static __always_inline void describe_inode(struct raw_file *raw, u64 inode)
{
	read_bulk(inode_bulk, struct inode, inode);
	raw->inode_id = identity(inode);
	raw->ino = bulk_field(inode_bulk, struct inode, inode, i_ino);
	raw->mode = bulk_field(inode_bulk, struct inode, inode, i_mode);
	raw->nlink = bulk_field(inode_bulk, struct inode, inode, i_nlink);
	raw->rdev = bulk_field(inode_bulk, struct inode, inode, i_rdev);
	raw->size = bulk_field(inode_bulk, struct inode, inode, i_size);
	raw->mtime_ns = inode_mtime_ns(inode_bulk, inode);
	if (has_field(struct inode, i_flctx) &&
	    bulk_field(inode_bulk, struct inode, inode, i_flctx))
		raw->flags |= RAW_FILE_LOCKED;
}

static __always_inline void describe_name(u64 name, u32 len)
{
	described.raw.name_len = len & NAME_BYTES;
	bpf_probe_read_kernel(described.name, len & NAME_BYTES, (const void *)name);
}

/* The files of namespaces are called after their type, all others have a name of their own. */
static __always_inline void describe_pseudo(u64 dentry, u64 inode)
{
	described.raw.flags |= RAW_FILE_PSEUDO;
	if (described.raw.magic != NSFS_MAGIC) {
		describe_name((u64)bulk_field(dentry_bulk, struct dentry, dentry, d_name.name),
			      bulk_field(dentry_bulk, struct dentry, dentry, d_name.len));
		return;
	}
	u64 ns = (u64)field_of(inode, struct inode, i_private);
	u64 name = (u64)field_of(ns, struct ns_common, ops, name);
	long len = bpf_probe_read_kernel_str(described.name, 32, (const void *)name);
	described.raw.name_len = len > 0 ? (len - 1) & 31 : 0;
}

/*
 * Who maps a file of overlayfs has a struct backing_file: its f_path is the file below, in a mount
 * of overlayfs' own, and user_path what was opened. Whether a struct file is one is a bit that has
 * moved; that mount tells as well.
 */
static __always_inline void path_of_opened(u64 file, u64 *mnt, u64 *dentry)
{
	*mnt = (u64)field_of(file, struct file, f_path.mnt);
	*dentry = (u64)field_of(file, struct file, f_path.dentry);
	if (!has_field(struct backing_file, user_path) || !mount_get(*mnt)->is_private ||
	    (super_get((u64)field_of(*dentry, struct dentry, d_sb))->flags & SB_KERNMOUNT))
		return;
	*mnt = (u64)field_of(file, struct backing_file, user_path.mnt);
	*dentry = (u64)field_of(file, struct backing_file, user_path.dentry);
}

__noinline int file_describe(u64 mnt, u64 dentry, u64 opened)
{
	struct raw_file *raw = &described.raw;

	if (opened)
		path_of_opened(opened, &mnt, &dentry);
	read_bulk(dentry_bulk, struct dentry, dentry);
	u64 inode = (u64)bulk_field(dentry_bulk, struct dentry, dentry, d_inode);
	u64 parent = (u64)bulk_field(dentry_bulk, struct dentry, dentry, d_parent);
	u64 hashed = (u64)bulk_field(dentry_bulk, struct dentry, dentry, d_hash.pprev);
	struct super_slot *super =
		super_get((u64)bulk_field(dentry_bulk, struct dentry, dentry, d_sb));
	struct mount_slot *mount = mount_get(mnt);

	__builtin_memset(raw, 0, sizeof(*raw));
	raw->dev = super->dev;
	raw->magic = super->magic;
	raw->mnt_id = mount->id;
	if (inode)
		describe_inode(raw, inode);
	else
		raw->flags |= RAW_FILE_NO_INODE;
	if (parent == dentry && dentry != mount->root) {
		describe_pseudo(dentry, inode);
		return 0;
	}
	if (dentry == mount->root || (dentry == run.root_dentry && mnt == run.root_mnt)) {
		raw->dir = dir_number(mnt, dentry);
		return raw->dir ? 0 : -EAGAIN;
	}
	/* d_unlinked() */
	raw->flags |= hashed ? 0 : RAW_FILE_UNHASHED;
	describe_name((u64)bulk_field(dentry_bulk, struct dentry, dentry, d_name.name),
		      bulk_field(dentry_bulk, struct dentry, dentry, d_name.len));
	raw->dir = dir_number(mnt, parent);
	return raw->dir ? 0 : -EAGAIN;
}
