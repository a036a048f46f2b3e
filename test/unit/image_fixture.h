/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small process tree that was never alive, with something of everything that an image holds; and
 * directories that vanish with the test.
 */
#ifndef CRIB_TEST_IMAGE_FIXTURE_H
#define CRIB_TEST_IMAGE_FIXTURE_H

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "image/image.h"
#include "image/machine.h"

#define PAGE ((uint64_t)sysconf(_SC_PAGESIZE))

enum {
	PAGE_MAX = 65536, /* bytes of a page on any machine */
	TEXT_START = 0x400000,
	HEAP_START = 0x600000,
	SHARED_START = 0x700000,
	STACK_START = 0x800000,
};

/* ---- Directories ---- */

static inline void dir_make(char path[64])
{
	snprintf(path, 64, "/tmp/crib-test-XXXXXX");
	assert_non_null(mkdtemp(path));
}

static inline int dir_remove_entry(const char *path, const struct stat *st, int type,
				   struct FTW *ftw)
{
	return remove(path);
}

static inline void dir_remove(const char *path)
{
	nftw(path, dir_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int dir_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* ---- A tree ---- */

static inline FownEntry *fixture_fown(struct snapshot *snap)
{
	return SNAP_MSG(snap, FownEntry, fown_entry);
}

static inline struct ofd *fixture_file(struct snapshot *snap, FdTypes type)
{
	struct ofd *ofd = snapshot_add_file(snap);

	ofd->entry = SNAP_MSG(snap, FileEntry, file_entry);
	ofd->entry->id = snap->next_file_id++;
	ofd->entry->type = type;
	return ofd;
}

static inline struct ofd *fixture_reg(struct snapshot *snap, const char *path, uint32_t flags)
{
	struct ofd *ofd = fixture_file(snap, FD_TYPES__REG);
	RegFileEntry *reg = SNAP_MSG(snap, RegFileEntry, reg_file_entry);

	reg->id = ofd->entry->id;
	reg->name = (char *)path;
	reg->flags = flags;
	reg->fown = fixture_fown(snap);
	ofd->entry->reg = reg;
	return ofd;
}

static inline struct ofd *fixture_pipe(struct snapshot *snap, uint32_t pipe_id, uint32_t flags)
{
	struct ofd *ofd = fixture_file(snap, FD_TYPES__PIPE);
	PipeEntry *pipe = SNAP_MSG(snap, PipeEntry, pipe_entry);

	pipe->id = ofd->entry->id;
	pipe->pipe_id = pipe_id;
	pipe->flags = flags;
	pipe->fown = fixture_fown(snap);
	ofd->entry->pipe = pipe;
	return ofd;
}

static inline struct ofd *fixture_eventfd(struct snapshot *snap, uint64_t counter)
{
	struct ofd *ofd = fixture_file(snap, FD_TYPES__EVENTFD);
	EventfdFileEntry *eventfd = SNAP_MSG(snap, EventfdFileEntry, eventfd_file_entry);

	eventfd->id = ofd->entry->id;
	eventfd->flags = O_RDWR;
	eventfd->counter = counter;
	eventfd->fown = fixture_fown(snap);
	ofd->entry->efd = eventfd;
	return ofd;
}

static inline struct shmem *fixture_shmem(struct snapshot *snap, uint64_t shmid, uint64_t size)
{
	struct shmem *shmem = ARENA_NEW(&snap->arena, struct shmem);

	shmem->shmid = shmid;
	shmem->size = size;
	*array_push(&snap->arena, &snap->shmems) = shmem;
	return shmem;
}

static inline struct ofd *fixture_memfd(struct snapshot *snap)
{
	struct ofd *ofd = fixture_file(snap, FD_TYPES__MEMFD);
	MemfdFileEntry *memfd = SNAP_MSG(snap, MemfdFileEntry, memfd_file_entry);
	MemfdInodeEntry *inode = SNAP_MSG(snap, MemfdInodeEntry, memfd_inode_entry);

	memfd->id = ofd->entry->id;
	memfd->flags = O_RDWR;
	memfd->pos = 6;
	memfd->inode_id = 1;
	memfd->fown = fixture_fown(snap);
	ofd->entry->memfd = memfd;
	inode->name = "buffer";
	inode->size = PAGE;
	inode->shmid = 77;
	inode->inode_id = 1;
	*array_push(&snap->arena, &snap->memfds) = inode;
	fixture_shmem(snap, 77, PAGE)->memfd = ofd;
	return ofd;
}

static inline struct ofd *fixture_tty(struct snapshot *snap, struct ofd *path)
{
	struct ofd *ofd = fixture_file(snap, FD_TYPES__TTY);
	TtyFileEntry *tty = SNAP_MSG(snap, TtyFileEntry, tty_file_entry);
	TtyInfoEntry *info = SNAP_MSG(snap, TtyInfoEntry, tty_info_entry);
	TtyDataEntry *data = SNAP_MSG(snap, TtyDataEntry, tty_data_entry);

	tty->id = ofd->entry->id;
	tty->tty_info_id = 5;
	tty->flags = O_RDWR;
	tty->has_regf_id = true;
	tty->regf_id = path->entry->id;
	tty->fown = fixture_fown(snap);
	ofd->entry->tty = tty;
	info->id = 5;
	info->type = TTY_TYPE__PTY;
	info->rdev = 0x8803;
	info->pty = SNAP_MSG(snap, TtyPtyEntry, tty_pty_entry);
	info->pty->index = 3;
	*array_push(&snap->arena, &snap->ttys) = info;
	data->tty_id = 5;
	data->data.data = (uint8_t *)"typed";
	data->data.len = 5;
	*array_push(&snap->arena, &snap->tty_data) = data;
	return ofd;
}

/* A file that has no name any more: two bytes at the ends of a megabyte. */
static inline struct ofd *fixture_ghost(struct snapshot *snap)
{
	struct ofd *ofd = fixture_reg(snap, "/srv/deleted", O_RDWR);
	struct ghost *ghost = array_push(&snap->arena, &snap->ghosts);
	RemapFilePathEntry *remap = SNAP_MSG(snap, RemapFilePathEntry, remap_file_path_entry);

	ghost->id = 11;
	ghost->fd = memfd_create("ghost", MFD_CLOEXEC);
	assert_true(ghost->fd >= 0);
	assert_int_equal(pwrite(ghost->fd, "a", 1, 0), 1);
	assert_int_equal(pwrite(ghost->fd, "z", 1, (1 << 20) - 1), 1);
	ghost->entry = SNAP_MSG(snap, GhostFileEntry, ghost_file_entry);
	ghost->entry->mode = S_IFREG | 0640;
	remap->orig_id = ofd->entry->id;
	remap->remap_id = 11;
	remap->has_remap_type = true;
	remap->remap_type = REMAP_TYPE__GHOST;
	*array_push(&snap->arena, &snap->remaps) = remap;
	return ofd;
}

static inline CredsEntry *fixture_creds(struct snapshot *snap)
{
	CredsEntry *creds = SNAP_MSG(snap, CredsEntry, creds_entry);

	creds->uid = creds->euid = creds->suid = creds->fsuid = 1000;
	creds->gid = creds->egid = creds->sgid = creds->fsgid = 100;
	creds->n_cap_eff = 2;
	creds->cap_eff = ARENA_ARRAY(&snap->arena, uint32_t, 2);
	creds->cap_eff[0] = 1 << 5;
	return creds;
}

static inline void fixture_thread(struct snapshot *snap, struct task *task, pid_t tid,
				  const char *comm)
{
	struct thread *thread = array_push(&snap->arena, &task->threads);
	CoreEntry *core = SNAP_MSG(snap, CoreEntry, core_entry);

	thread->tid = tid;
	thread->task = task;
	thread->core = core;
	core->mtype = machine_march();
	if (task->threads.n == 1) {
		core->tc = SNAP_MSG(snap, TaskCoreEntry, task_core_entry);
		core->tc->task_state = task->state;
		core->tc->comm = (char *)comm;
	}
	if (task->state == TASK_STATE_DEAD)
		return;
	core->thread_core = SNAP_MSG(snap, ThreadCoreEntry, thread_core_entry);
	core->thread_core->comm = (char *)comm;
	core->thread_core->creds = fixture_creds(snap);
	core->thread_core->has_sched_policy = true;
}

static inline struct vma *fixture_vma(struct snapshot *snap, struct mm *mm, uint64_t start,
				      unsigned int nr_pages, uint32_t prot, uint32_t status)
{
	struct vma *vma = array_push(&snap->arena, &mm->vmas);
	bool shared = status & (VMA_FILE_SHARED | VMA_ANON_SHARED);

	vma->start = start;
	vma->end = start + (uint64_t)nr_pages * PAGE;
	vma->prot = prot;
	vma->flags = shared ? MAP_SHARED : MAP_PRIVATE;
	vma->status = VMA_AREA_REGULAR | status;
	if (status & (VMA_ANON_PRIVATE | VMA_ANON_SHARED))
		vma->flags |= MAP_ANONYMOUS;
	return vma;
}

static inline void fixture_pages(struct snapshot *snap, struct mm *mm, uint64_t vaddr,
				 uint64_t nr_pages, struct task *shared_with)
{
	uint64_t img_off = 0;

	array_each(struct page_range, range, &mm->pages)
		if (!range->shared_with && !range->guard)
			img_off += range->nr_pages * PAGE;
	*array_push(&snap->arena, &mm->pages) = (struct page_range){
		.vaddr = vaddr,
		.nr_pages = nr_pages,
		.shared_with = shared_with,
		.img_off = shared_with ? 0 : img_off,
	};
}

static inline void fixture_mm(struct snapshot *snap, struct task *task, struct ofd *program,
			      struct shmem *shmem, struct task *sharer)
{
	struct mm *mm = ARENA_NEW(&snap->arena, struct mm);
	struct vma *vma;

	*array_push(&snap->arena, &snap->mms) = mm;
	mm->id = (uint32_t)snap->mms.n;
	mm->owner = task;
	mm->exe = program;
	mm->pages_id = mm->id;
	mm->entry = SNAP_MSG(snap, MmEntry, mm_entry);
	mm->entry->mm_start_stack = STACK_START + 3 * PAGE;
	mm->entry->exe_file_id = program->entry->id;
	task->mm = mm;

	vma = fixture_vma(snap, mm, TEXT_START, 2, PROT_READ | PROT_EXEC, VMA_FILE_PRIVATE);
	vma->file = program;
	vma->shmid = program->entry->id;
	vma = fixture_vma(snap, mm, HEAP_START, 8, PROT_READ | PROT_WRITE,
			  VMA_ANON_PRIVATE | VMA_AREA_HEAP);
	vma->flags |= MAP_LOCKED;
	vma->locked_onfault = true;
	vma->anon_name = "the heap";
	vma = fixture_vma(snap, mm, SHARED_START, 4, PROT_READ | PROT_WRITE, VMA_ANON_SHARED);
	vma->shmem = shmem;
	vma->shmid = shmem->shmid;
	vma = fixture_vma(snap, mm, STACK_START, 4, PROT_READ | PROT_WRITE, VMA_ANON_PRIVATE);
	vma->flags |= MAP_GROWSDOWN;

	if (sharer) {
		fixture_pages(snap, mm, HEAP_START, 1, NULL);
		fixture_pages(snap, mm, HEAP_START + PAGE, 2, sharer);
	} else {
		fixture_pages(snap, mm, HEAP_START, 3, NULL);
	}
	*array_push(&snap->arena, &mm->pages) = (struct page_range){
		.vaddr = STACK_START,
		.nr_pages = 1,
		.guard = true,
	};
	fixture_pages(snap, mm, STACK_START + 3 * PAGE, 1, NULL);
}

static inline void fixture_fdtable(struct snapshot *snap, struct task *task,
				   struct ofd *const *files, size_t n)
{
	struct fdtable *table = ARENA_NEW(&snap->arena, struct fdtable);

	*array_push(&snap->arena, &snap->fdtables) = table;
	table->id = (uint32_t)snap->fdtables.n;
	task->fdt = table;
	for (size_t i = 0; i < n; i++)
		*array_push(&snap->arena, &table->slots) = (struct fd_slot){
			.fd = (int)i,
			.cloexec = i == 4,
			.ofd = files[i],
		};
}

/* The rest of a task whose memory and descriptors are there. */
static inline void fixture_links(struct snapshot *snap, struct task *task, struct ofd *cwd,
				 struct ofd *root)
{
	TaskKobjIdsEntry *ids = SNAP_MSG(snap, TaskKobjIdsEntry, task_kobj_ids_entry);

	task->fs = ARENA_NEW(&snap->arena, struct fs);
	task->fs->id = task->mm->id;
	task->fs->cwd = cwd;
	task->fs->root = root;
	task->fs->entry = SNAP_MSG(snap, FsEntry, fs_entry);
	task->fs->entry->has_umask = true;
	task->fs->entry->umask = 022;
	ids->vm_id = task->mm->id;
	ids->files_id = task->fdt->id;
	ids->fs_id = task->fs->id;
	ids->sighand_id = task->mm->id;
	task->threads.v[0].core->ids = ids;
}

static inline void fixture_pipe_data(struct snapshot *snap, uint32_t pipe_id)
{
	struct pipe_data *data = array_push(&snap->arena, &snap->pipe_data);

	data->entry = SNAP_MSG(snap, PipeDataEntry, pipe_data_entry);
	data->entry->pipe_id = pipe_id;
	data->entry->bytes = 5;
	data->data = "water";
}

/* Fills @snap, which is not initialized yet. */
static inline void fixture_tree(struct snapshot *snap)
{
	snapshot_init(snap);
	struct ofd *program = fixture_reg(snap, "/usr/bin/counter", O_RDONLY);
	struct ofd *cwd = fixture_reg(snap, "/srv", O_RDONLY);
	struct ofd *root = fixture_reg(snap, "/", O_RDONLY);
	struct ofd *terminal = fixture_reg(snap, "/dev/pts/3", O_RDWR);
	struct ofd *files[] = {
		fixture_reg(snap, "/dev/null", O_RDWR | O_APPEND),
		fixture_pipe(snap, 9, O_RDONLY),
		fixture_pipe(snap, 9, O_WRONLY),
		fixture_ghost(snap),
		fixture_eventfd(snap, 42),
		fixture_memfd(snap),
		fixture_tty(snap, terminal),
	};
	struct shmem *shmem = fixture_shmem(snap, 1234, 4 * PAGE);

	fixture_pipe_data(snap, 9);
	shmem->pages_id = 10;
	*array_push(&snap->arena, &shmem->pages) =
		(struct page_range){ .vaddr = PAGE, .nr_pages = 2 };

	struct task *parent = snapshot_add_task(snap, 100, NULL);
	struct task *child = snapshot_add_task(snap, 102, parent);
	struct task *zombie = snapshot_add_task(snap, 103, parent);
	child->state = TASK_STATE_STOPPED;
	zombie->state = TASK_STATE_DEAD;
	parent->pgid = parent->sid = child->sid = zombie->sid = zombie->pgid = 100;
	child->pgid = 102;
	fixture_thread(snap, parent, 100, "counter");
	fixture_thread(snap, parent, 101, "worker");
	fixture_thread(snap, child, 102, "child");
	fixture_thread(snap, zombie, 103, "dead");
	zombie->threads.v[0].core->tc->exit_code = 3 << 8;
	fixture_mm(snap, parent, program, shmem, NULL);
	fixture_mm(snap, child, program, shmem, parent);
	fixture_fdtable(snap, parent, files, ARRAY_SIZE(files));
	fixture_fdtable(snap, child, files, 3);
	fixture_links(snap, parent, cwd, root);
	fixture_links(snap, child, cwd, root);
	snap->inventory = SNAP_MSG(snap, InventoryEntry, inventory_entry);
	snap->inventory->crib_version = "9.9";
	snap->inventory->kernel_release = "6.0.0";
	snapshot_assign_owners(snap);
}

/* The pages that the tree has, each of its own letter. */
static inline void fixture_save_pages(struct image_dir *dir)
{
	static const struct {
		uint32_t id, nr;
	} parts[] = { { 1, 4 }, { 2, 2 }, { 10, 2 } };
	struct err err = ERR_INIT;
	char page[PAGE_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		struct image_part part;

		assert_int_equal(image_part_open(&part, dir, IMG_PAGES, parts[i].id, &err), 0);
		for (uint32_t j = 0; j < parts[i].nr; j++) {
			memset(page, (int)('a' + i + j), sizeof(page));
			assert_int_equal(image_part_write(&part, page, PAGE, &err), 0);
		}
		assert_int_equal(image_part_close(&part, &err), 0);
	}
}

static inline void fixture_save(const struct snapshot *snap, const char *path)
{
	struct image_save_opts opts = { 0 };
	struct err err = ERR_INIT;
	struct image_dir dir;

	assert_int_equal(image_create(&dir, path, &err), 0);
	fixture_save_pages(&dir);
	assert_int_equal(image_save(snap, &dir, &opts, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(image_commit(&dir, &err), 0);
	image_fini(&dir);
}

/* Loads an image of whatever machine; the result is image_load()'s. */
static inline int fixture_load(struct snapshot *snap, const char *path, struct err *err)
{
	int dirfd = dir_open(path);

	snapshot_init(snap);
	*err = ERR_INIT;
	int ret = image_load(snap, dirfd, &(struct image_load_opts){ 0 }, err);
	close(dirfd);
	return ret;
}

#endif /* CRIB_TEST_IMAGE_FIXTURE_H */
