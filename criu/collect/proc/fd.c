// SPDX-License-Identifier: GPL-2.0-only
/*
 * RG_FD from /proc.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "collect/proc/proc.h"
#include "target/procstat.h"

/* pos, flags and mnt_id stand in front; what epoll and inotify list behind them may be long. */
enum { FDINFO_HEAD = 256 };

/* Flags that fcntl(F_SETFL) cannot change, so that they are the same whenever they are read. */
enum { CONSTANT_FLAGS = O_ACCMODE | O_PATH };

/* What descriptors of the run are alike, and which of them are the same. */
struct fd_run {
	struct proc_run *run;
	struct hashmap alike;     /* by fd_key(): struct proc_identity */
	struct hashmap by_number; /* (pid, fd): struct seen_fd; filled only without kcmp(2) */
	pid_t ppid;               /* of the process that is being read; only without kcmp(2) */
};

struct seen_fd {
	uint64_t dev, ino, pos, ofd_id;
	uint32_t flags;
};

static int compare_fds(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return one < other ? -1 : one > other;
}

/* The numbers of all descriptors, ascending, into the run's arena. */
static int list_fds(struct proc_task *task, uint32_t **ret_fds, size_t *ret_n)
{
	ARRAY(uint32_t) fds = { 0 };
	struct dirent *entry;

	_cleanup_close_ int dirfd = openat(task->dirfd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_sys(task->run->err, "open '/proc/%d/fd'", task->pid);
	_cleanup_closedir_ DIR *dir = fdopendir(dirfd);
	if (!dir)
		return err_sys(task->run->err, "fdopendir '/proc/%d/fd'", task->pid);
	take_fd(&dirfd);
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		uint64_t fd;

		if (parse_u64(entry->d_name, INT32_MAX, &fd) == 0)
			*array_push(&task->run->arena, &fds) = (uint32_t)fd;
	}
	if (errno)
		return err_sys(task->run->err, "readdir '/proc/%d/fd'", task->pid);
	if (fds.n)
		qsort(fds.v, fds.n, sizeof(*fds.v), compare_fds);
	*ret_fds = fds.v;
	*ret_n = fds.n;
	return 0;
}

/* Locks come behind the inode number, and before what only one kind of file has. */
static bool tells_no_lock(const char *text, bool complete)
{
	enum { LOCK_LEN = 5 };
	const char *ino = strstr(text, "\nino:"), *end = ino ? strchr(ino + 1, '\n') : NULL;

	if (strstr(text, "\nlock:"))
		return false;
	return complete || (end && strlen(end + 1) >= LOCK_LEN);
}

static int read_fdinfo(struct proc_task *task, uint32_t fd, struct proc_fdinfo *ret_info,
		       bool *ret_unlocked)
{
	char path[32], text[FDINFO_HEAD];

	snprintf(path, sizeof(path), "fdinfo/%u", fd);
	_cleanup_close_ int file = openat(task->dirfd, path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return err_sys(task->run->err, "open '/proc/%d/%s'", task->pid, path);
	ssize_t len = read(file, text, sizeof(text) - 1);
	if (len < 0)
		return err_sys(task->run->err, "read '/proc/%d/%s'", task->pid, path);
	text[len] = '\0';
	*ret_unlocked = tells_no_lock(text, len < (ssize_t)sizeof(text) - 1);
	return proc_parse_fdinfo(text, ret_info, task->run->err);
}

/* Without kcmp(2): inherited, if the parent has the same under the same number. */
static uint64_t guess_ofd(struct fd_run *fr, const struct rec_fd *rec, uint64_t fresh_id)
{
	const struct seen_fd *parents = hashmap_get(&fr->by_number, (uint64_t)fr->ppid, rec->fd);
	struct seen_fd *seen = ARENA_NEW(&fr->run->arena, struct seen_fd);

	*seen = (struct seen_fd){ .dev = rec->dev,
				  .ino = rec->ino,
				  .pos = rec->pos,
				  .ofd_id = fresh_id,
				  .flags = rec->flags };
	if (parents && parents->dev == seen->dev && parents->ino == seen->ino &&
	    parents->pos == seen->pos && parents->flags == seen->flags)
		seen->ofd_id = parents->ofd_id;
	hashmap_put(&fr->by_number, rec->hdr.pid, rec->fd, seen);
	return seen->ofd_id;
}

/*
 * Position and status flags may change between two looks, by processes outside that share the
 * description; inode and mode of access may not.
 */
static int identify(struct fd_run *fr, struct rec_fd *rec)
{
	uint64_t hi = rec->dev << 32 | (rec->flags & CONSTANT_FLAGS);
	struct proc_identity *known = hashmap_get(&fr->alike, hi, rec->ino);
	uint64_t id;

	if (!known) {
		known = ARENA_NEW(&fr->run->arena, struct proc_identity);
		hashmap_put(&fr->alike, hi, rec->ino, known);
	}
	int ret = proc_identify(fr->run, known, KCMP_FILE, (pid_t)rec->hdr.pid, rec->fd, &id);
	if (ret < 0)
		return ret;
	rec->ofd_id = fr->run->source->has_kcmp ? id : guess_ofd(fr, rec, id);
	rec->hdr.valid |= RV_FD_OFD;
	return 0;
}

static int emit_fd(struct fd_run *fr, struct proc_task *task, uint32_t fd)
{
	struct rec_fd rec = {
		.hdr = { .type = REC_FD, .pid = (__u32)task->pid, .tid = (__u32)task->pid },
		.fd = fd,
	};
	struct proc_fdinfo info;
	struct proc_file file;
	bool unlocked = false;
	char link[32];

	snprintf(link, sizeof(link), "fd/%u", fd);
	int ret = proc_read_link(task, link, &file);
	if (ret == 0)
		ret = proc_stat_link(task, link, &file);
	if (ret == -ENOENT || ret == -EPERM)
		return err_ret(task->run->err, ret, "statx '/proc/%d/%s'", task->pid, link);
	if (ret == 0)
		ret = read_fdinfo(task, fd, &info, &unlocked);
	if (ret < 0)
		return ret;
	if (file.mnt_id < 0)
		file.mnt_id = info.mnt_id;
	ret = proc_judge_path(task, &file);
	if (ret < 0)
		return ret;
	rec.cloexec = !!(info.flags & O_CLOEXEC);
	rec.flags = info.flags & ~(uint32_t)O_CLOEXEC;
	rec.pos = info.pos;
	rec.mnt_id = info.mnt_id;
	rec.mode = file.mode;
	rec.dev = file.dev;
	rec.rdev = file.rdev;
	rec.ino = file.ino;
	rec.size = file.size;
	rec.nlink = file.nlink;
	rec.mtime_ns = file.mtime_ns;
	rec.file_flags = file.file_flags;
	rec.path_len = (__u32)file.path_len;
	rec.unlocked = unlocked;
	rec.hdr.valid = RV_FD_FLAGS | RV_FD_INODE | RV_FD_PATH;
	ret = identify(fr, &rec);
	return ret < 0 ? ret :
			 proc_emit(task->run, &rec.hdr, sizeof(rec), file.path, file.path_len);
}

static int collect_one(struct fd_run *fr, struct proc_task *task)
{
	struct procstat stat;
	uint32_t *fds = NULL;
	size_t n = 0;
	int ret = 0;

	if (!fr->run->source->has_kcmp) {
		ret = procstat_read(task->pid, task->pid, &stat, task->run->err);
		fr->ppid = ret == 0 ? stat.ppid : 0;
	}
	if (ret == 0)
		ret = list_fds(task, &fds, &n);
	for (size_t i = 0; i < n && ret == 0; i++)
		ret = err_wrap(task->run->err, emit_fd(fr, task, fds[i]), "fd %u", fds[i]);
	return ret;
}

int proc_collect_fds(struct proc_run *run, const struct collect_target *targets, size_t n)
{
	struct fd_run fr = { .run = run };
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++) {
		struct proc_task task;

		if (targets[i].zombie)
			continue;
		ret = proc_task_open(&task, run, &targets[i]);
		if (ret == 0) {
			ret = collect_one(&fr, &task);
			proc_task_close(&task);
		}
		ret = err_wrap(run->err, ret, "task %d", targets[i].pid);
	}
	hashmap_fini(&fr.alike);
	hashmap_fini(&fr.by_number);
	return ret;
}
