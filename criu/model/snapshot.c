// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making, finding and linking the objects of a snapshot.
 */
#include "model/snapshot.h"

void snapshot_init(struct snapshot *snap)
{
	*snap = (struct snapshot){ .page_size = (uint32_t)sysconf(_SC_PAGESIZE),
				   .next_file_id = 1 };
}

void snapshot_fini(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->files.n; i++)
		if (snap->files.v[i]->borrowed_fd >= 0)
			close(snap->files.v[i]->borrowed_fd);
	array_each(struct ghost, ghost, &snap->ghosts)
		if (ghost->fd >= 0)
			close(ghost->fd);
	arena_fini(&snap->arena);
	*snap = (struct snapshot){ 0 };
}

struct task *snapshot_add_task(struct snapshot *snap, pid_t pid, struct task *parent)
{
	struct task *task = ARENA_NEW(&snap->arena, struct task);

	task->index = (uint32_t)snap->tasks.n;
	task->pid = pid;
	task->parent = parent;
	task->ppid = parent ? parent->pid : 0;
	task->state = TASK_STATE_ALIVE;
	task->pidfd = -1;
	*array_push(&snap->arena, &snap->tasks) = task;
	if (parent)
		*array_push(&snap->arena, &parent->children) = task;
	return task;
}

struct ofd *snapshot_add_file(struct snapshot *snap)
{
	struct ofd *ofd = ARENA_NEW(&snap->arena, struct ofd);

	ofd->borrowed_fd = -1;
	ofd->inherited_fd = -1;
	ofd->owner_fd = -1;
	ofd->position = (uint32_t)snap->files.n;
	*array_push(&snap->arena, &snap->files) = ofd;
	return ofd;
}

struct task *snapshot_find_task(const struct snapshot *snap, pid_t pid)
{
	for (size_t i = 0; i < snap->tasks.n; i++)
		if (snap->tasks.v[i]->pid == pid)
			return snap->tasks.v[i];
	return NULL;
}

struct ofd *snapshot_find_file(const struct snapshot *snap, uint32_t id)
{
	for (size_t i = 0; i < snap->files.n; i++)
		if (snap->files.v[i]->entry && snap->files.v[i]->entry->id == id)
			return snap->files.v[i];
	return NULL;
}

void snapshot_assign_owners(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->files.n; i++) {
		snap->files.v[i]->owner = NULL;
		snap->files.v[i]->owner_fd = -1;
		snap->files.v[i]->nr_users = 0;
	}
	for (size_t i = 0; i < snap->fdtables.n; i++)
		snap->fdtables.v[i]->owner = NULL;
	for (size_t i = 0; i < snap->tasks.n; i++) {
		struct task *task = snap->tasks.v[i];

		if (!task->fdt)
			continue;
		task->fdt->shared = task->fdt->owner != NULL;
		if (task->fdt->shared)
			continue;
		task->fdt->owner = task;
		array_each(struct fd_slot, slot, &task->fdt->slots) {
			slot->ofd->nr_users++;
			if (slot->ofd->owner)
				continue;
			slot->ofd->owner = task;
			slot->ofd->owner_fd = slot->fd;
		}
	}
}
