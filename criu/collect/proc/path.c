// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files behind the links of /proc/PID, and the truth about their printed names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "collect/dev.h"
#include "collect/proc/proc.h"

static const char deleted[] = " (deleted)"; /* fs/d_path.c */

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U /* Linux 5.8 */
#endif

/* The server of a network or FUSE file system may be one of the tasks that stand: ask no server. */
enum { STAT_FLAGS = AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT };

int proc_stat_link(struct proc_task *task, const char *link, struct proc_file *ret_file)
{
	struct statx stx;

	if (statx(task->dirfd, link, STAT_FLAGS, STATX_BASIC_STATS | STATX_MNT_ID, &stx) < 0) {
		if (errno == ENOENT || errno == EPERM)
			return -errno;
		return err_sys(task->run->err, "statx '/proc/%d/%s'", task->pid, link);
	}
	ret_file->dev = rec_dev(stx.stx_dev_major, stx.stx_dev_minor);
	ret_file->rdev = rec_dev(stx.stx_rdev_major, stx.stx_rdev_minor);
	ret_file->ino = stx.stx_ino;
	ret_file->size = stx.stx_size;
	ret_file->mtime_ns = (uint64_t)stx.stx_mtime.tv_sec * 1000000000 + stx.stx_mtime.tv_nsec;
	ret_file->mode = stx.stx_mode;
	ret_file->nlink = stx.stx_nlink;
	ret_file->mnt_id = -1;
	/* The field is 64 bits wide, the ids of mountinfo and fdinfo are ints. */
	if ((stx.stx_mask & STATX_MNT_ID) && stx.stx_mnt_id <= INT32_MAX)
		ret_file->mnt_id = (int32_t)stx.stx_mnt_id;
	return 0;
}

int proc_read_link(struct proc_task *task, const char *link, struct proc_file *file)
{
	ssize_t len = readlinkat(task->dirfd, link, file->path, sizeof(file->path) - 1);

	if (len < 0 && errno == ENOENT)
		return -ENOENT;
	if (len < 0)
		return err_sys(task->run->err, "readlink '/proc/%d/%s'", task->pid, link);
	if ((size_t)len >= sizeof(file->path) - 1)
		return err_set(task->run->err, -ENAMETOOLONG,
			       "readlink '/proc/%d/%s': the path is too long", task->pid, link);
	file->path[len] = '\0';
	file->path_len = (size_t)len;
	file->file_flags = 0;
	return 0;
}

static bool leads_to(int dirfd, const char *path, const struct proc_file *file)
{
	struct statx stx;

	return statx(dirfd, path, STAT_FLAGS | AT_SYMLINK_NOFOLLOW, STATX_INO, &stx) == 0 &&
	       stx.stx_ino == file->ino &&
	       rec_dev(stx.stx_dev_major, stx.stx_dev_minor) == file->dev;
}

/* From crib's root or, for a name of another mount namespace, from the target's. */
static bool name_exists(struct proc_task *task, const struct proc_file *file)
{
	char path[PROC_PATH_MAX + 8];

	if (leads_to(AT_FDCWD, file->path, file))
		return true;
	snprintf(path, sizeof(path), "root%s", file->path);
	return leads_to(task->dirfd, path, file);
}

static bool has_mount(const struct proc_mount_ids *mounts, int32_t id)
{
	for (size_t i = 0; i < mounts->ids.n; i++)
		if (mounts->ids.v[i] == id)
			return true;
	return false;
}

/* The mounts below crib's root: mountinfo leaves out the others. */
static int load_own_mounts(struct proc_run *run)
{
	if (run->have_own_mounts)
		return 0;
	int ret = io_read_file(AT_FDCWD, "/proc/self/mountinfo", &run->text);
	if (ret < 0)
		return err_ret(run->err, ret, "read '/proc/self/mountinfo'");
	ret = proc_parse_mount_ids(strbuf_str(&run->text), &run->arena, &run->own_mounts, run->err);
	run->have_own_mounts = ret == 0;
	return ret;
}

static int load_task_mounts(struct proc_task *task)
{
	if (task->have_mounts)
		return 0;
	int ret = proc_read(task, "mountinfo", false);
	if (ret == 0)
		ret = proc_parse_mount_ids(strbuf_str(&task->run->text), &task->run->arena,
					   &task->mounts, task->run->err);
	task->have_mounts = ret == 0;
	return ret;
}

/*
 * A mount that is in nobody's namespace is one of the kernel's own, with memfds and the like, or
 * was detached (umount -l). All that the kernel makes there has no name, so it prints as deleted.
 */
static int judge_mount(struct proc_task *task, struct proc_file *file)
{
	if (file->mnt_id < 0)
		return 0;
	int ret = load_own_mounts(task->run);
	if (ret < 0 || has_mount(&task->run->own_mounts, file->mnt_id))
		return ret;
	ret = load_task_mounts(task);
	if (ret < 0)
		return ret;
	if (has_mount(&task->mounts, file->mnt_id) || !(file->file_flags & REC_FILE_DELETED))
		file->file_flags |= REC_FILE_UNREACHABLE;
	return 0;
}

int proc_judge_path(struct proc_task *task, struct proc_file *file)
{
	size_t suffix = sizeof(deleted) - 1;

	if (file->path[0] != '/')
		return 0;
	if (file->path_len > suffix &&
	    !memcmp(file->path + file->path_len - suffix, deleted, suffix) &&
	    !name_exists(task, file)) {
		file->path_len -= suffix;
		file->path[file->path_len] = '\0';
		file->file_flags |= REC_FILE_DELETED;
	}
	return judge_mount(task, file);
}
