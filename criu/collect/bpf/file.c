// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files: directories and names that the programs sent become paths, descriptors become records.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collect/bpf/engine.h"
#include "collect/dev.h"

/* include/uapi/linux/magic.h, as far as headers of all ages do not have them */
enum {
	MAGIC_ANON_INODE = 0x09041934,
	MAGIC_BPF_FS = 0xcafe4a11,
	MAGIC_CGROUP = 0x0027e0eb,
	MAGIC_CGROUP2 = 0x63677270,
	MAGIC_DEBUGFS = 0x64626720,
	MAGIC_DEVPTS = 0x1cd1,
	MAGIC_EXT4 = 0xef53,
	MAGIC_HUGETLBFS = 0x958458f6,
	MAGIC_MQUEUE = 0x19800202,
	MAGIC_NSFS = 0x6e736673,
	MAGIC_PIDFS = 0x50494446,
	MAGIC_PIPEFS = 0x50495045,
	MAGIC_PROC = 0x9fa0,
	MAGIC_RAMFS = 0x858458f6,
	MAGIC_SECRETMEM = 0x5345434d,
	MAGIC_SOCKFS = 0x534f434b,
	MAGIC_SQUASHFS = 0x73717368,
	MAGIC_SYSFS = 0x62656572,
	MAGIC_TMPFS = 0x01021994,
	MAGIC_TRACEFS = 0x74726163,
	MAGIC_XFS = 0x58465342,
};

bool bpf_stat_is_inode(const struct raw_file *raw)
{
	switch (raw->magic) {
	case MAGIC_ANON_INODE:
	case MAGIC_BPF_FS:
	case MAGIC_DEBUGFS:
	case MAGIC_DEVPTS:
	case MAGIC_EXT4:
	case MAGIC_HUGETLBFS:
	case MAGIC_MQUEUE:
	case MAGIC_NSFS:
	case MAGIC_PIPEFS:
	case MAGIC_RAMFS:
	case MAGIC_SECRETMEM:
	case MAGIC_SOCKFS:
	case MAGIC_SQUASHFS:
	case MAGIC_TMPFS:
	case MAGIC_TRACEFS:
	case MAGIC_XFS: return true;
	case MAGIC_CGROUP:
	case MAGIC_CGROUP2:
	case MAGIC_PROC:
	case MAGIC_SYSFS:
		/* how many directories are in one is counted when somebody asks */
		return !S_ISDIR(raw->mode);
	default: return false; /* btrfs and overlayfs, with devices of their own, and who knows */
	}
}

/* "lib/usr/" becomes "/usr/lib". */
static char *turn_round(struct arena *arena, const char *text, size_t len)
{
	char *path = arena_alloc(arena, len + 1), *to = path;
	size_t end = len;

	while (end) {
		size_t from = end - 1; /* the slash behind the name */

		while (from && text[from - 1] != '/')
			from--;
		*to++ = '/';
		memcpy(to, text + from, end - 1 - from);
		to += end - 1 - from;
		end = from;
	}
	return path;
}

int bpf_take_dir(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_dir *raw = (const void *)head;

	if (len < sizeof(*raw) || raw->len != len - sizeof(*raw) ||
	    (raw->len && raw->text[raw->len - 1] != '/'))
		return bpf_malformed(run, "directory of a wrong length");
	if (!raw->id || raw->id > run->dirs.n + 1)
		return bpf_malformed(run, "directory of a wrong number");
	if (raw->id == run->dirs.n + 1)
		array_push(&run->arena, &run->dirs);
	run->dirs.v[raw->id - 1] = (struct bpf_dir){
		.path = turn_round(&run->arena, raw->text, raw->len),
		.len = raw->len,
		.reach = raw->reach,
	};
	return 0;
}

/* As the d_dname() functions of the file systems print them. */
static void pseudo_path(const struct raw_file *raw, const char *name, struct bpf_path *ret_path)
{
	unsigned long long ino = raw->ino;
	int name_len = (int)raw->name_len, len;
	char *text = ret_path->text;
	size_t size = sizeof(ret_path->text);

	switch (raw->magic) {
	case MAGIC_PIPEFS: len = snprintf(text, size, "pipe:[%llu]", ino); break;
	case MAGIC_SOCKFS: len = snprintf(text, size, "socket:[%llu]", ino); break;
	case MAGIC_PIDFS: len = snprintf(text, size, "anon_inode:[pidfd]"); break;
	case MAGIC_NSFS: len = snprintf(text, size, "%.*s:[%llu]", name_len, name, ino); break;
	case MAGIC_ANON_INODE: len = snprintf(text, size, "anon_inode:%.*s", name_len, name); break;
	default:
		len = snprintf(text, size, "/%.*s", name_len, name);
		ret_path->file_flags = REC_FILE_DELETED;
		break;
	}
	ret_path->len = (size_t)len;
}

int bpf_file_path(struct bpf_run *run, const struct raw_file *raw, const char *name,
		  struct bpf_path *ret_path)
{
	ret_path->file_flags = 0;
	if (raw->name_len > NAME_MAX)
		return bpf_malformed(run, "file with a name that is too long");
	if (raw->flags & RAW_FILE_PSEUDO) {
		pseudo_path(raw, name, ret_path);
		return 0;
	}
	if (!raw->dir || raw->dir > run->dirs.n)
		return bpf_malformed(run, "file in an unknown directory");
	const struct bpf_dir *dir = &run->dirs.v[raw->dir - 1];
	if (dir->reach == RAW_REACH_TOO_LONG || dir->len + 1 + raw->name_len >= BPF_PATH_MAX)
		return err_set(run->err, -ENAMETOOLONG, "the path is too long");
	memcpy(ret_path->text, dir->path, dir->len);
	ret_path->len = dir->len;
	if (raw->name_len || !dir->len) {
		ret_path->text[dir->len] = '/';
		memcpy(ret_path->text + dir->len + 1, name, raw->name_len);
		ret_path->len += 1 + raw->name_len;
	}
	if (raw->flags & RAW_FILE_UNHASHED)
		ret_path->file_flags |= REC_FILE_DELETED;
	/* In nobody's namespace are the kernel's own mounts, where nothing has a name. */
	if (dir->reach == RAW_REACH_ABSOLUTE ||
	    (dir->reach == RAW_REACH_NOWHERE && !(raw->flags & RAW_FILE_UNHASHED)))
		ret_path->file_flags |= REC_FILE_UNREACHABLE;
	return 0;
}

/* What stat(2) says, by a duplicate of the descriptor. */
static int stat_duplicate(struct bpf_run *run, const struct collect_target *target,
			  struct rec_fd *rec)
{
	struct statx stx;
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_getfd, target->pidfd, rec->fd, 0);

	if (fd < 0 && errno == EBADF)
		return err_set(run->err, -EAGAIN,
			       "task %d changes while it is read: fd %u was closed", target->pid,
			       rec->fd);
	if (fd < 0)
		return err_sys(run->err, "pidfd_getfd of fd %u", rec->fd);
	if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
		  &stx) < 0)
		return err_sys(run->err, "statx fd %u", rec->fd);
	rec->dev = rec_dev(stx.stx_dev_major, stx.stx_dev_minor);
	rec->rdev = rec_dev(stx.stx_rdev_major, stx.stx_rdev_minor);
	rec->ino = stx.stx_ino;
	rec->mode = stx.stx_mode;
	rec->nlink = stx.stx_nlink;
	rec->size = stx.stx_size;
	rec->mtime_ns = (uint64_t)stx.stx_mtime.tv_sec * 1000000000 + stx.stx_mtime.tv_nsec;
	return 0;
}

int bpf_take_fd(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct collect_target *target = bpf_target(run, head);
	const struct raw_fd *raw = (const void *)head;
	const struct raw_file *file = &raw->file;
	struct bpf_path path;
	int ret;

	if (len < sizeof(*raw) || file->name_len != len - sizeof(*raw))
		return bpf_malformed(run, "descriptor of a wrong length");
	struct rec_fd rec = {
		.hdr = { .type = REC_FD,
			 .pid = (__u32)target->pid,
			 .tid = (__u32)target->pid,
			 .valid = RV_FD_FLAGS | RV_FD_INODE | RV_FD_PATH | RV_FD_OFD },
		.fd = raw->fd,
		.cloexec = raw->cloexec,
		.ofd_id = raw->ofd_id,
		.pos = raw->pos,
		.flags = raw->f_flags & ~(__u32)O_CLOEXEC,
		.mnt_id = file->mnt_id,
		/* the kernel keeps the type of these to itself */
		.mode = file->magic == MAGIC_ANON_INODE ? file->mode & ~(__u32)S_IFMT : file->mode,
		.nlink = file->nlink,
		.dev = file->dev,
		.rdev = file->rdev,
		.ino = file->ino,
		.size = file->size,
		.mtime_ns = file->mtime_ns,
		.unlocked = !(file->flags & (RAW_FILE_LOCKED | RAW_FILE_NO_INODE)),
	};
	ret = bpf_file_path(run, file, raw->name, &path);
	if (ret == 0 && !bpf_stat_is_inode(file))
		ret = stat_duplicate(run, target, &rec);
	if (ret < 0)
		return err_wrap(run->err, ret, "fd %u", raw->fd);
	rec.file_flags = path.file_flags;
	rec.path_len = (__u32)path.len;
	bpf_put(run, &rec.hdr, sizeof(rec), path.text, path.len);
	run->count++;
	return 0;
}
