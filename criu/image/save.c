// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a snapshot to the files of an image. A message that hangs on an object is written as it is,
 * but for what the snapshot keeps as links: those fields are filled in a copy. An object that
 * several tasks share is written under the first one's pid, or under its own number.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>

#include "image/format.h"
#include "image/frame.h"
#include "image/ghost.h"
#include "image/image.h"
#include "image/machine.h"

#include "pagemap.pb-c.h"
#include "pstree.pb-c.h"
#include "version.h"

struct save {
	const struct snapshot *snap;
	const struct image_save_opts *opts;
	struct image_dir *dir;
	struct arena arena; /* for copies */
};

static int finish(struct image_part *part, int ret, struct err *err)
{
	if (ret == 0)
		return image_part_close(part, err);
	image_part_discard(part);
	return ret;
}

/* A part of one message. */
static int save_one(struct save *save, enum image_kind kind, uint64_t id, const void *msg,
		    struct err *err)
{
	struct image_part part;
	int ret = image_part_open(&part, save->dir, kind, id, err);

	return finish(&part, ret < 0 ? ret : frame_write(&part, msg, err), err);
}

/* A part of @n messages, which does not exist when there are none. */
static int save_list(struct save *save, enum image_kind kind, const void *msgs, size_t n,
		     struct err *err)
{
	ProtobufCMessage *const *list = msgs;
	struct image_part part;

	if (!n)
		return 0;
	int ret = image_part_open(&part, save->dir, kind, 0, err);
	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = frame_write(&part, list[i], err);
	return finish(&part, ret, err);
}

static int save_pstree(struct save *save, struct err *err)
{
	const struct snapshot *snap = save->snap;
	PstreeEntry **entries = ARENA_ARRAY(&save->arena, PstreeEntry *, snap->tasks.n);

	for (size_t i = 0; i < snap->tasks.n; i++) {
		const struct task *task = snap->tasks.v[i];
		PstreeEntry *entry = ARENA_NEW(&save->arena, PstreeEntry);

		pstree_entry__init(entry);
		entry->pid = (uint32_t)task->pid;
		entry->ppid = task->parent ? (uint32_t)task->parent->pid : 0;
		entry->pgid = (uint32_t)task->pgid;
		entry->sid = (uint32_t)task->sid;
		entry->n_threads = task->threads.n;
		entry->threads = ARENA_ARRAY(&save->arena, uint32_t, task->threads.n);
		for (size_t j = 0; j < task->threads.n; j++)
			entry->threads[j] = (uint32_t)task->threads.v[j].tid;
		entries[i] = entry;
	}
	return save_list(save, IMG_PSTREE, entries, snap->tasks.n, err);
}

static VmaEntry *vma_entry(struct save *save, const struct vma *vma)
{
	VmaEntry *entry = ARENA_NEW(&save->arena, VmaEntry);

	vma_entry__init(entry);
	entry->start = vma->start;
	entry->end = vma->end;
	entry->pgoff = vma->pgoff;
	entry->shmid = vma->file ? vma->file->entry->id : vma->shmid;
	entry->prot = vma->prot;
	entry->flags = vma->flags;
	entry->status = vma->status;
	entry->fd = -1;
	entry->has_madv = vma->has_madv;
	entry->madv = vma->madv;
	entry->has_fdflags = vma->has_fdflags;
	entry->fdflags = vma->fdflags;
	entry->anon_name = (char *)vma->anon_name;
	entry->has_locked_onfault = entry->locked_onfault = vma->locked_onfault;
	return entry;
}

static VmaEntry *guard_entry(struct save *save, const struct page_range *range)
{
	VmaEntry *entry = ARENA_NEW(&save->arena, VmaEntry);

	vma_entry__init(entry);
	entry->start = range->vaddr;
	entry->end = range->vaddr + range->nr_pages * save->snap->page_size;
	entry->status = VMA_AREA_GUARD;
	entry->fd = -1;
	return entry;
}

static int save_mm(struct save *save, const struct mm *mm, struct err *err)
{
	MmEntry entry = *mm->entry;
	size_t n = 0;

	entry.vmas = ARENA_ARRAY(&save->arena, VmaEntry *, mm->vmas.n + mm->pages.n);
	array_each(struct vma, vma, &mm->vmas)
		entry.vmas[n++] = vma_entry(save, vma);
	array_each(struct page_range, range, &mm->pages)
		if (range->guard)
			entry.vmas[n++] = guard_entry(save, range);
	entry.n_vmas = n;
	if (mm->exe)
		entry.exe_file_id = mm->exe->entry->id;
	return save_one(save, IMG_MM, (uint64_t)mm->owner->pid, &entry, err);
}

static int save_range(struct save *save, struct image_part *part, const struct page_range *range,
		      struct err *err)
{
	PagemapEntry entry = PAGEMAP_ENTRY__INIT;

	if (range->guard)
		return 0;
	if (range->shared_with && save->opts->compat_criu)
		return err_set(err, -EINVAL,
			       "image file '%s': pages shared between tasks, which criu "
			       "cannot read",
			       part->name);
	entry.vaddr = range->vaddr;
	entry.compat_nr_pages = (uint32_t)range->nr_pages;
	entry.has_nr_pages = range->nr_pages > UINT32_MAX;
	entry.nr_pages = range->nr_pages;
	entry.has_flags = true;
	entry.flags = range->shared_with ? 0 : PE_PRESENT;
	if (range->shared_with) {
		entry.has_shared_pid = true;
		entry.shared_pid = (uint32_t)range->shared_with->pid;
	}
	return frame_write(part, &entry, err);
}

/* @pages is the pages array of a struct mm or a struct shmem. */
static int save_pagemap(struct save *save, enum image_kind kind, uint64_t id, uint32_t pages_id,
			const struct page_range *ranges, size_t n, struct err *err)
{
	PagemapHead head = PAGEMAP_HEAD__INIT;
	struct image_part part;

	head.pages_id = pages_id;
	int ret = image_part_open(&part, save->dir, kind, id, err);
	if (ret == 0)
		ret = frame_write(&part, &head, err);
	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = save_range(save, &part, &ranges[i], err);
	return finish(&part, ret, err);
}

static int save_memory(struct save *save, struct err *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < save->snap->mms.n; i++) {
		const struct mm *mm = save->snap->mms.v[i];

		ret = save_mm(save, mm, err);
		if (ret == 0)
			ret = save_pagemap(save, IMG_PAGEMAP, (uint64_t)mm->owner->pid,
					   mm->pages_id, mm->pages.v, mm->pages.n, err);
	}
	for (size_t i = 0; ret == 0 && i < save->snap->shmems.n; i++) {
		const struct shmem *shmem = save->snap->shmems.v[i];

		ret = save_pagemap(save, IMG_SHMEM_PAGEMAP, shmem->shmid, shmem->pages_id,
				   shmem->pages.v, shmem->pages.n, err);
	}
	return ret;
}

static int save_fs(struct save *save, const struct task *task, struct err *err)
{
	FsEntry entry = *task->fs->entry;

	if (task->fs->cwd)
		entry.cwd_id = task->fs->cwd->entry->id;
	if (task->fs->root)
		entry.root_id = task->fs->root->entry->id;
	return save_one(save, IMG_FS, (uint64_t)task->pid, &entry, err);
}

/* What every task has of its own. */
static int save_task(struct save *save, const struct task *task, struct err *err)
{
	int ret = 0;

	array_each(struct thread, thread, &task->threads) {
		CoreEntry core = *thread->core;

		core.ids = NULL;
		if (ret == 0)
			ret = save_one(save, IMG_CORE, (uint64_t)thread->tid, &core, err);
	}
	if (ret == 0 && task->threads.v[0].core->ids)
		ret = save_one(save, IMG_IDS, (uint64_t)task->pid, task->threads.v[0].core->ids,
			       err);
	return ret == 0 && task->fs ? save_fs(save, task, err) : ret;
}

static int save_fdtable(struct save *save, const struct fdtable *table, struct err *err)
{
	struct image_part part;
	int ret = image_part_open(&part, save->dir, IMG_FDINFO, table->id, err);

	array_each(struct fd_slot, slot, &table->slots) {
		FdinfoEntry entry = FDINFO_ENTRY__INIT;

		entry.id = slot->ofd->entry->id;
		entry.type = slot->ofd->entry->type;
		entry.flags = slot->cloexec;
		entry.fd = (uint32_t)slot->fd;
		if (ret == 0)
			ret = frame_write(&part, &entry, err);
	}
	return finish(&part, ret, err);
}

/* Files that are known by a path come first: others refer to them. */
static int save_files(struct save *save, struct err *err)
{
	const struct snapshot *snap = save->snap;
	FileEntry **entries = ARENA_ARRAY(&save->arena, FileEntry *, snap->files.n);
	size_t n = 0;

	for (int others = 0; others < 2; others++)
		for (size_t i = 0; i < snap->files.n; i++)
			if ((snap->files.v[i]->entry->type != FD_TYPES__REG) == others)
				entries[n++] = snap->files.v[i]->entry;
	return save_list(save, IMG_FILES, entries, n, err);
}

static int save_pipe_data(struct save *save, enum image_kind kind, const struct pipe_data *data,
			  size_t n, struct err *err)
{
	struct image_part part;

	if (!n)
		return 0;
	int ret = image_part_open(&part, save->dir, kind, 0, err);
	for (size_t i = 0; ret == 0 && i < n; i++) {
		ret = frame_write(&part, data[i].entry, err);
		if (ret == 0)
			ret = image_part_write(&part, data[i].data, data[i].entry->bytes, err);
	}
	return finish(&part, ret, err);
}

static int save_descriptors(struct save *save, struct err *err)
{
	const struct snapshot *snap = save->snap;
	int ret = save_files(save, err);

	for (size_t i = 0; ret == 0 && i < snap->fdtables.n; i++)
		ret = save_fdtable(save, snap->fdtables.v[i], err);
	for (size_t i = 0; ret == 0 && i < snap->ghosts.n; i++)
		ret = ghost_save(&snap->ghosts.v[i], save->dir, err);
	if (ret == 0)
		ret = save_list(save, IMG_REMAP_FPATH, snap->remaps.v, snap->remaps.n, err);
	if (ret == 0)
		ret = save_list(save, IMG_MEMFD, snap->memfds.v, snap->memfds.n, err);
	if (ret == 0)
		ret = save_list(save, IMG_TTY_INFO, snap->ttys.v, snap->ttys.n, err);
	if (ret == 0)
		ret = save_list(save, IMG_TTY_DATA, snap->tty_data.v, snap->tty_data.n, err);
	if (ret == 0)
		ret = save_pipe_data(save, IMG_PIPES_DATA, snap->pipe_data.v, snap->pipe_data.n,
				     err);
	if (ret == 0)
		ret = save_pipe_data(save, IMG_FIFO_DATA, snap->fifo_data.v, snap->fifo_data.n,
				     err);
	return ret;
}

/*
 * What the snapshot does not say of the inventory is that of this machine. root_ids without an
 * object of its own say that crib is in the namespaces of the tree.
 */
static int save_inventory(struct save *save, struct err *err)
{
	const struct task *root = save->snap->tasks.v[0];
	InventoryEntry entry = INVENTORY_ENTRY__INIT;
	TaskKobjIdsEntry ids;
	struct utsname uts;

	if (save->snap->inventory)
		entry = *save->snap->inventory;
	entry.img_version = IMAGE_VERSION;
	entry.has_fdinfo_per_id = entry.fdinfo_per_id = true;
	entry.has_ns_per_id = entry.ns_per_id = true;
	if (!entry.root_ids && root->threads.v[0].core->ids) {
		ids = *root->threads.v[0].core->ids;
		ids.vm_id = ids.files_id = ids.fs_id = ids.sighand_id = 0;
		entry.root_ids = &ids;
	}
	if (!entry.has_lsmtype) {
		entry.has_lsmtype = true;
		entry.lsmtype = LSMTYPE__NO_LSM;
	}
	entry.has_page_size = true;
	entry.page_size = save->snap->page_size;
	entry.has_march = true;
	entry.march = root->threads.v[0].core->mtype;
	if (!entry.kernel_release && uname(&uts) == 0)
		entry.kernel_release = uts.release;
	if (!entry.crib_version)
		entry.crib_version = (char *)CRIB_VERSION;
	return save_one(save, IMG_INVENTORY, 0, &entry, err);
}

static int save_all(struct save *save, struct err *err)
{
	const struct snapshot *snap = save->snap;
	int ret = save_pstree(save, err);

	for (size_t i = 0; ret == 0 && i < snap->tasks.n; i++)
		ret = save_task(save, snap->tasks.v[i], err);
	if (ret == 0)
		ret = save_memory(save, err);
	if (ret == 0)
		ret = save_descriptors(save, err);
	if (ret == 0)
		ret = save_list(save, IMG_FILE_LOCKS, snap->locks.v, snap->locks.n, err);
	if (ret == 0 && snap->seccomp)
		ret = save_one(save, IMG_SECCOMP, 0, snap->seccomp, err);
	if (ret == 0 && snap->cpuinfo)
		ret = save_one(save, IMG_CPUINFO, 0, snap->cpuinfo, err);
	return ret < 0 ? ret : save_inventory(save, err);
}

int image_save(const struct snapshot *snap, struct image_dir *dir,
	       const struct image_save_opts *opts, struct err *err)
{
	struct save save = { .snap = snap, .opts = opts, .dir = dir };
	int ret = snapshot_validate(snap, err);

	if (ret == 0)
		ret = save_all(&save, err);
	arena_fini(&save.arena);
	return ret;
}
