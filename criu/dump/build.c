// SPDX-License-Identifier: GPL-2.0-only
/*
 * From gathered records to tasks, mappings and descriptor tables of a snapshot. Messages of tasks
 * and threads are filled in build_core.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "collect/dev.h"
#include "dump/build.h"
#include "dump/build_core.h"
#include "model/kernel_names.h"
#include "vma/vma.h"

struct build {
	struct snapshot *snap;
	const struct gather *gather;
	const struct fd_extract *x;
	struct complaints *complaints;
	struct hashmap ofds;     /* (0, ofd_id): struct ofd */
	struct hashmap fdtables; /* (0, files_id): struct fdtable */
	struct hashmap owners;   /* (what, id): struct task that has it already */
	struct hashmap shmems;   /* (dev, ino): struct shmem */
	__u64 own_ns[REC_NS_MAX];
};

static const char *const ns_files[REC_NS_MAX] = {
	"pid",
	"net",
	"ipc",
	"uts",
	"mnt",
	"user",
	"cgroup",
	"time",
	"pid_for_children",
	"time_for_children",
};

void complaints_fini(struct complaints *complaints)
{
	arena_fini(&complaints->arena);
}

void complain(struct complaints *complaints, pid_t pid, const struct err *err)
{
	*array_push(&complaints->arena, &complaints->text) =
		arena_printf(&complaints->arena, "task %d: %s", pid, err->text);
}

/* Inode numbers of crib's own namespaces, 0 for what this kernel does not have. */
static void read_own_namespaces(__u64 *own)
{
	for (int i = 0; i < REC_NS_MAX; i++) {
		char path[64];
		struct stat st;

		snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_files[i]);
		own[i] = stat(path, &st) ? 0 : st.st_ino;
	}
}

static bool is_elsewhere(const struct build *build, const struct rec_task *rec, enum rec_ns ns)
{
	return (rec->hdr.valid & RV_TASK_NS) && rec->ns[ns] && build->own_ns[ns] &&
	       rec->ns[ns] != build->own_ns[ns];
}

/* That of its children is only worth a word where its own is not. */
static bool is_said(const struct build *build, const struct rec_task *rec, int ns)
{
	if (ns == REC_NS_PID_CHILDREN)
		return is_elsewhere(build, rec, REC_NS_PID);
	return ns == REC_NS_TIME_CHILDREN && is_elsewhere(build, rec, REC_NS_TIME);
}

static void check_namespaces(struct build *build, const struct gathered_task *task)
{
	for (int i = 0; i < REC_NS_MAX; i++) {
		struct err err = ERR_INIT;

		if (!is_elsewhere(build, &task->rec, i) || is_said(build, &task->rec, i))
			continue;
		err_set(&err, -ENOTSUP,
			"is in another %s namespace than crib: not supported; run crib inside of "
			"it",
			ns_files[i]);
		complain(build->complaints, task->pid, &err);
	}
}

/* Processes that share what only threads may share cannot be made again. */
static void check_shared(struct build *build, struct task *task, const struct rec_task *rec)
{
	const struct {
		__u64 id;
		const char *what;
	} shared[] = {
		{ rec->mm_id, "its memory (CLONE_VM, vfork)" },
		{ rec->fs_id, "its working directory (CLONE_FS)" },
		{ rec->sighand_id, "its signal handlers (CLONE_SIGHAND)" },
	};

	if (!(rec->hdr.valid & RV_TASK_SHARED))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(shared); i++) {
		struct err err = ERR_INIT;
		struct task *other;

		if (!shared[i].id)
			continue;
		other = hashmap_get(&build->owners, i, shared[i].id);
		if (!other) {
			hashmap_put(&build->owners, i, shared[i].id, task);
			continue;
		}
		err_set(&err, -ENOTSUP, "shares %s with task %d: not supported", shared[i].what,
			other->pid);
		complain(build->complaints, task->pid, &err);
	}
}

/* The kernel carries them out when a task ends, also when crib ends it. */
static void check_semaphores(struct build *build, const struct gathered_task *task)
{
	const struct rec_task *rec = &task->rec;
	struct err err = ERR_INIT;

	if (!(rec->hdr.valid & RV_TASK_SHARED) || !rec->sem_undo)
		return;
	if (rec->sem_undo == REC_SEM_UNDO_PERHAPS)
		err_set(&err, -ENOTSUP,
			"may have semaphore undo operations (SEM_UNDO) for set %u: crib cannot "
			"dump System V semaphores; use --engine bpf, which sees whether it has",
			rec->sem_set);
	else
		err_set(&err, -ENOTSUP,
			"has semaphore undo operations (SEM_UNDO) for set %u: crib cannot dump "
			"System V semaphores; the task has to end them, or the set to be removed "
			"(ipcrm -s %u)",
			rec->sem_set, rec->sem_set);
	complain(build->complaints, task->pid, &err);
}

/* One object per inode of shared anonymous memory, as long as its furthest mapping. */
static struct shmem *find_or_add_shmem(struct build *build, struct task *task,
				       const struct vma *vma, const struct rec_vma *rec)
{
	struct shmem *shmem = hashmap_get(&build->shmems, rec->dev, rec->ino);

	if (!shmem) {
		shmem = ARENA_NEW(&build->snap->arena, struct shmem);
		shmem->shmid = rec->ino;
		shmem->task = task;
		shmem->vaddr = vma->start;
		shmem->offset = vma->pgoff;
		*array_push(&build->snap->arena, &build->snap->shmems) = shmem;
		hashmap_put(&build->shmems, rec->dev, rec->ino, shmem);
	}
	if (shmem->size < vma->pgoff + (vma->end - vma->start))
		shmem->size = vma->pgoff + (vma->end - vma->start);
	return shmem;
}

/* The format knows one mapping of vvar, which since Linux 6.13 is two: criu compares its size. */
static bool extend_vvar(struct mm *mm, const struct rec_vma *rec)
{
	struct vma *last = mm->vmas.n ? &mm->vmas.v[mm->vmas.n - 1] : NULL;

	if (!last || rec->special != REC_VMA_VVAR || !(last->status & VMA_AREA_VVAR) ||
	    last->end != rec->start)
		return false;
	last->end = rec->end;
	return true;
}

static void build_vma(struct build *build, struct task *task, const struct rec_vma *rec)
{
	struct snapshot *snap = build->snap;

	if (extend_vvar(task->mm, rec))
		return;
	struct vma *vma = array_push(&snap->arena, &task->mm->vmas);
	struct err err = ERR_INIT;

	if (vma_from_record(rec, vma, &err) < 0)
		complain(build->complaints, task->pid, &err);
	vma->rec = rec;
	if (!rec->ino && rec->name_len && rec->special == REC_VMA_NORMAL)
		vma->anon_name = arena_strndup(&snap->arena, rec->name, rec->name_len);
	if (vma->status & VMA_ANON_SHARED) {
		vma->shmem = find_or_add_shmem(build, task, vma, rec);
		vma->shmid = vma->shmem->shmid;
	}
}

static int build_mm(struct build *build, struct task *task, const struct gathered_task *from,
		    struct err *err)
{
	struct mm *mm = ARENA_NEW(&build->snap->arena, struct mm);

	task->mm = mm;
	mm->id = (uint32_t)build->snap->mms.n + 1;
	mm->owner = task;
	*array_push(&build->snap->arena, &build->snap->mms) = mm;
	if ((from->mm.hdr.valid & RV_MM_COUNT) && from->vmas.n < from->mm.map_count)
		return err_set(err, -EAGAIN,
			       "task %d: %zu mappings were read, the kernel counts %u", task->pid,
			       from->vmas.n, from->mm.map_count);
	for (size_t i = 0; i < from->vmas.n; i++)
		build_vma(build, task, from->vmas.v[i]);
	return build_mm_entry(build->snap, mm, from, err);
}

static void refuse_fd(struct build *build, const struct task *task, const struct rec_fd *rec)
{
	const char *words = kernel_name_words(rec->path, rec->path_len);
	dev_t rdev = rec_dev_to_stat(rec->rdev);
	struct err err = ERR_INIT;
	char device[48];

	if (!words) {
		snprintf(device, sizeof(device), "device %u:%u", major(rdev), minor(rdev));
		words = device;
	}
	err_set(&err, -ENOTSUP,
		"descriptor %u is '%.*s', %s: not supported; the task has to close it before a "
		"dump",
		rec->fd, (int)rec->path_len, rec->path, words);
	complain(build->complaints, task->pid, &err);
}

static struct ofd *find_or_add_ofd(struct build *build, struct task *task, const struct rec_fd *rec)
{
	struct ofd *ofd = rec->ofd_id ? hashmap_get(&build->ofds, 0, rec->ofd_id) : NULL;

	if (ofd)
		return ofd;
	ofd = snapshot_add_file(build->snap);
	ofd->rec = rec;
	ofd->owner = task;
	ofd->owner_fd = (int)rec->fd;
	ofd->kind = fd_kind_of_record(rec);
	if (rec->ofd_id)
		hashmap_put(&build->ofds, 0, rec->ofd_id, ofd);
	if (!ofd->kind)
		refuse_fd(build, task, rec);
	return ofd;
}

/* Its task is in another mount namespace, which was said. */
static bool is_behind_mounts(const struct build *build, const struct ofd *ofd)
{
	const struct gathered_task *from = gather_find(build->gather, ofd->owner->pid);

	return (ofd->rec->file_flags & REC_FILE_UNREACHABLE) &&
	       is_elsewhere(build, &from->rec, REC_NS_MNT);
}

/* Some can be dumped if others are in the tree, too: when all are known. */
static void check_ofds(struct build *build)
{
	for (size_t i = 0; i < build->snap->files.n; i++) {
		const struct ofd *ofd = build->snap->files.v[i];
		struct err err = ERR_INIT;

		if (!ofd->kind || !ofd->kind->check || is_behind_mounts(build, ofd) ||
		    ofd->kind->check(build->x, ofd, &err) >= 0)
			continue;
		err_wrap(&err, err.code, "descriptor %d", ofd->owner_fd);
		complain(build->complaints, ofd->owner->pid, &err);
	}
}

static void build_fdtable(struct build *build, struct task *task, const struct gathered_task *from)
{
	__u64 id = from->rec.hdr.valid & RV_TASK_SHARED ? from->rec.files_id : 0;
	struct fdtable *fdt = id ? hashmap_get(&build->fdtables, 0, id) : NULL;

	task->fdt = fdt;
	if (fdt)
		return;
	fdt = ARENA_NEW(&build->snap->arena, struct fdtable);
	task->fdt = fdt;
	if (id)
		hashmap_put(&build->fdtables, 0, id, fdt);
	fdt->id = (uint32_t)build->snap->fdtables.n + 1;
	*array_push(&build->snap->arena, &build->snap->fdtables) = fdt;
	for (size_t i = 0; i < from->fds.n; i++) {
		const struct rec_fd *rec = from->fds.v[i];
		struct ofd *ofd = find_or_add_ofd(build, task, rec);
		struct err err = ERR_INIT;

		*array_push(&build->snap->arena, &fdt->slots) =
			(struct fd_slot){ .fd = (int)rec->fd, .cloexec = rec->cloexec, .ofd = ofd };
		if (fd_note_locks(build->x, task, ofd, rec, &err) < 0) {
			err_wrap(&err, err.code, "descriptor %u", rec->fd);
			complain(build->complaints, task->pid, &err);
		}
	}
}

static void build_fs(struct build *build, struct task *task, const struct gathered_task *from)
{
	struct fs *fs = ARENA_NEW(&build->snap->arena, struct fs);

	task->fs = fs;
	fs->id = task->mm->id;
	fs->entry = SNAP_MSG(build->snap, FsEntry, fs_entry);
	fs->entry->has_umask = true;
	fs->entry->umask = from->rec.umask;
}

static int build_task(struct build *build, const struct frozen_task *frozen, struct err *err)
{
	struct gathered_task *from = gather_find(build->gather, frozen->pid);

	if (!from || !(from->rec.hdr.valid & RV_TASK_STAT))
		return err_set(err, -EBADMSG, "task %d: nothing was collected about it",
			       frozen->pid);
	struct task *parent = snapshot_find_task(build->snap, (pid_t)from->rec.ppid);
	struct task *task = snapshot_add_task(build->snap, frozen->pid, parent);

	task->ppid = (pid_t)from->rec.ppid;
	task->pgid = (pid_t)from->rec.pgid;
	task->sid = (pid_t)from->rec.sid;
	task->pidfd = frozen->pidfd;
	task->tty_rdev = from->rec.tty_rdev;
	task->tty_pgrp = from->rec.tty_pgrp;
	if (frozen->zombie)
		task->state = TASK_STATE_DEAD;
	else if (frozen->stop_signo)
		task->state = TASK_STATE_STOPPED;
	check_namespaces(build, from);
	check_shared(build, task, &from->rec);
	check_semaphores(build, from);
	if (!frozen->zombie) {
		int ret = build_mm(build, task, from, err);

		if (ret < 0)
			return ret;
		build_fdtable(build, task, from);
		build_fs(build, task, from);
	}
	return build_threads(build->snap, task, frozen, build->gather, err);
}

int build_snapshot(struct snapshot *snap, const struct gather *gather,
		   const struct frozen_tree *tree, const struct fd_extract *x,
		   struct complaints *complaints, struct err *err)
{
	struct build build = { .snap = snap, .gather = gather, .x = x, .complaints = complaints };
	int ret = 0;

	read_own_namespaces(build.own_ns);
	for (size_t i = 0; i < tree->tasks.n && ret == 0; i++)
		ret = build_task(&build, tree->tasks.v[i], err);
	if (ret == 0)
		check_ofds(&build);
	hashmap_fini(&build.ofds);
	hashmap_fini(&build.fdtables);
	hashmap_fini(&build.owners);
	hashmap_fini(&build.shmems);
	if (ret == 0)
		snapshot_assign_owners(snap);
	return ret;
}
