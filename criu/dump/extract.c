// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extraction of contents, see extract.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pidref.h"
#include "dump/extract.h"
#include "task/thread_state.h"
#include "vma/vma.h"

static int extract_threads(struct snapshot *snap, const struct gather *gather, struct err *err)
{
	for (size_t t = 0; t < snap->tasks.n; t++) {
		struct task *task = snap->tasks.v[t];

		if (task->state == TASK_STATE_DEAD)
			continue;
		array_each(struct thread, thread, &task->threads) {
			const struct gathered_thread *from =
				gather_find_thread(gather, task->pid, thread->tid);
			int ret =
				thread_state_extract(snap, thread, from->rec.clear_child_tid, err);
			if (ret < 0)
				return err_wrap(err, ret, "task %d: thread %d", task->pid,
						thread->tid);
		}
	}
	return 0;
}

/* Every description once, through the first descriptor that refers to it. */
static int extract_files(struct snapshot *snap, struct fd_extract *x, struct err *err)
{
	size_t n = snap->files.n;
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++) {
		struct ofd *ofd = snap->files.v[i];

		ofd->borrowed_fd = pidref_getfd(ofd->owner->pidfd, ofd->owner_fd);
		if (ofd->borrowed_fd < 0)
			ret = err_ret(err, ofd->borrowed_fd, "pidfd_getfd");
		ofd->entry = SNAP_MSG(snap, FileEntry, file_entry);
		ofd->entry->id = snap->next_file_id++;
		ofd->entry->type = ofd->kind->type;
		if (ret == 0)
			ret = ofd->kind->extract(x, ofd, ofd->borrowed_fd, err);
		err_wrap(err, ret, "task %d: descriptor %d (%s)", ofd->owner->pid, ofd->owner_fd,
			 ofd->kind->name);
	}
	for (size_t i = 0; i < n && ret == 0; i++) {
		struct ofd *ofd = snap->files.v[i];

		if (ofd->kind->resolve)
			ret = ofd->kind->resolve(x, ofd, ofd->borrowed_fd, err);
		err_wrap(err, ret, "task %d: descriptor %d (%s)", ofd->owner->pid, ofd->owner_fd,
			 ofd->kind->name);
	}
	return ret;
}

/* A record of a file that is in no table, for fd_extract_path(). */
static struct rec_fd *path_record(struct snapshot *snap, const char *path, uint32_t path_len)
{
	struct rec_fd *rec = arena_alloc(&snap->arena, sizeof(*rec) + path_len);

	memcpy(rec->path, path, path_len);
	rec->path_len = path_len;
	rec->mnt_id = -1;
	rec->hdr.valid = RV_FD_PATH;
	return rec;
}

/*
 * Deleted files and memfds can only be reached through the task, so a descriptor is needed; for
 * all others the path is enough.
 */
static int extract_vma(struct snapshot *snap, struct task *task, struct vma *vma,
		       struct fd_extract *x, struct err *err)
{
	struct rec_fd *rec = path_record(snap, vma->rec->name, vma->rec->name_len);
	bool writable = (vma->status & VMA_FILE_SHARED) && (vma->rec->flags & REC_VMF(MAYWRITE));
	_cleanup_close_ int fd = -1;
	char path[96];

	rec->hdr.pid = (uint32_t)task->pid;
	rec->dev = vma->rec->dev;
	rec->ino = vma->rec->ino;
	rec->file_flags = vma->rec->file_flags;
	rec->flags = writable ? O_RDWR : O_RDONLY;
	if (vma->rec->file_flags & REC_FILE_DELETED) {
		snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", task->pid,
			 (unsigned long long)vma->start, (unsigned long long)vma->end);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(err, "open '%s' of deleted '%.*s'", path, (int)rec->path_len,
				       rec->path);
	}
	int ret = fd_extract_path(x, rec, fd, &vma->file, err);
	if (ret < 0)
		return ret;
	vma->shmid = vma->file->entry->id;
	vma->has_fdflags = true;
	vma->fdflags = rec->flags;
	return 0;
}

/* Also anonymous ones are of a file system, which knows how large its pages are. */
static int extract_huge_page_size(const struct task *task, struct vma *vma, struct err *err)
{
	struct statfs fs;
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/map_files/%llx-%llx", task->pid,
		 (unsigned long long)vma->start, (unsigned long long)vma->end);
	if (statfs(path, &fs))
		return err_sys(err, "statfs '%s'", path);
	if (fs.f_bsize > 0)
		vma->flags |= (uint32_t)__builtin_ctzll((uint64_t)fs.f_bsize) << MAP_HUGE_SHIFT;
	return 0;
}

static int extract_mm(struct snapshot *snap, struct task *task, struct fd_extract *x,
		      struct err *err)
{
	array_each(struct vma, vma, &task->mm->vmas) {
		int ret = 0;

		if (vma->flags & MAP_HUGETLB)
			ret = extract_huge_page_size(task, vma, err);
		if (ret == 0 && vma_has_file(vma))
			ret = extract_vma(snap, task, vma, x, err);
		if (ret < 0)
			return err_wrap(err, ret, "task %d: mapping %llx-%llx", task->pid,
					(unsigned long long)vma->start,
					(unsigned long long)vma->end);
	}
	return 0;
}

static int extract_link(struct snapshot *snap, struct task *task, const struct rec_path *from,
			const char *link, struct fd_extract *x, struct ofd **ret_ofd,
			struct err *err)
{
	_cleanup_close_ int fd = -1;
	char path[48];

	if (!from)
		return err_set(err, -EBADMSG, "task %d: no engine told its %s", task->pid, link);
	struct rec_fd *rec = path_record(snap, from->path, from->path_len);
	rec->hdr.pid = (uint32_t)task->pid;
	rec->dev = from->dev;
	rec->ino = from->ino;
	rec->mode = from->mode;
	rec->nlink = from->nlink;
	rec->mnt_id = from->mnt_id;
	rec->file_flags = from->file_flags;
	rec->hdr.valid |= RV_FD_INODE;
	if (from->file_flags & REC_FILE_DELETED) {
		snprintf(path, sizeof(path), "/proc/%d/%s", task->pid, link);
		fd = open(path, O_CLOEXEC | (S_ISDIR(from->mode) ? O_PATH : O_RDONLY));
		if (fd < 0)
			return err_sys(err, "open '%s'", path);
	}
	return err_wrap(err, fd_extract_path(x, rec, fd, ret_ofd, err), "task %d: %s", task->pid,
			link);
}

static int extract_links(struct snapshot *snap, struct task *task, const struct gathered_task *from,
			 struct fd_extract *x, struct err *err)
{
	struct fs *fs = task->fs;
	int ret = extract_link(snap, task, from->path[REC_PATH_CWD], "cwd", x, &fs->cwd, err);

	if (ret == 0)
		ret = extract_link(snap, task, from->path[REC_PATH_ROOT], "root", x, &fs->root,
				   err);
	if (ret == 0)
		ret = extract_link(snap, task, from->path[REC_PATH_EXE], "exe", x, &task->mm->exe,
				   err);
	if (ret < 0)
		return ret;
	fs->entry->cwd_id = fs->cwd->entry->id;
	fs->entry->root_id = fs->root->entry->id;
	task->mm->entry->exe_file_id = task->mm->exe->entry->id;
	return 0;
}

int extract_contents(struct snapshot *snap, const struct gather *gather, struct fd_extract *x,
		     struct err *err)
{
	int ret = extract_threads(snap, gather, err);

	if (ret < 0)
		return ret;
	ret = extract_files(snap, x, err);
	for (size_t i = 0; i < snap->tasks.n && ret == 0; i++) {
		struct task *task = snap->tasks.v[i];

		if (task->state == TASK_STATE_DEAD)
			continue;
		ret = extract_mm(snap, task, x, err);
		if (ret == 0)
			ret = extract_links(snap, task, gather_find(gather, task->pid), x, err);
	}
	int end = fd_extract_end(x, ret == 0 ? err : NULL);
	return ret == 0 ? end : ret;
}
