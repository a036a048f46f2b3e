// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared anonymous memory in images of criu. The kernel makes it of a file whose name /proc shows,
 * and criu takes that for a memfd, with which the memory would not be anonymous any more.
 */
#include <string.h>
#include <sys/mman.h>

#include "image/load.h"

/* What the kernel calls it; the second is of huge pages. */
static bool has_name_of_anonymous(const MemfdInodeEntry *inode)
{
	return !strcmp(inode->name, "/dev/zero") || !strcmp(inode->name, "/anon_hugepage");
}

static bool is_of(const struct ofd *ofd, const MemfdInodeEntry *inode)
{
	return ofd && ofd->entry->memfd && ofd->entry->memfd->inode_id == inode->inode_id;
}

/* Anonymous memory is mapped shared and has no descriptor: a memfd may have such a name, too. */
static bool is_anonymous(const struct snapshot *snap, const MemfdInodeEntry *inode)
{
	if (!has_name_of_anonymous(inode))
		return false;
	for (size_t i = 0; i < snap->fdtables.n; i++)
		array_each(const struct fd_slot, slot, &snap->fdtables.v[i]->slots)
			if (is_of(slot->ofd, inode))
				return false;
	for (size_t i = 0; i < snap->mms.n; i++) {
		if (is_of(snap->mms.v[i]->exe, inode))
			return false;
		array_each(const struct vma, vma, &snap->mms.v[i]->vmas)
			if (is_of(vma->file, inode) && !(vma->status & VMA_FILE_SHARED))
				return false;
	}
	return true;
}

static void make_anonymous(struct snapshot *snap, const MemfdInodeEntry *inode)
{
	for (size_t i = 0; i < snap->mms.n; i++)
		array_each(struct vma, vma, &snap->mms.v[i]->vmas) {
			if (!is_of(vma->file, inode))
				continue;
			vma->status &= ~(uint32_t)(VMA_FILE_SHARED | VMA_AREA_MEMFD);
			vma->status |= VMA_ANON_SHARED;
			vma->flags |= MAP_ANONYMOUS;
			vma->has_fdflags = false;
			vma->fdflags = 0;
			vma->file = NULL;
			vma->shmem->memfd = NULL;
			vma->shmid = vma->shmem->shmid;
		}
	size_t left = 0;

	for (size_t i = 0; i < snap->files.n; i++)
		if (!is_of(snap->files.v[i], inode))
			snap->files.v[left++] = snap->files.v[i];
	snap->files.n = left;
}

void load_anonymous(struct load *load)
{
	struct snapshot *snap = load->snap;
	size_t left = 0;

	if (snap->inventory->crib_version)
		return;
	for (size_t i = 0; i < snap->memfds.n; i++) {
		if (is_anonymous(snap, snap->memfds.v[i]))
			make_anonymous(snap, snap->memfds.v[i]);
		else
			snap->memfds.v[left++] = snap->memfds.v[i];
	}
	snap->memfds.n = left;
}
