// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loading open files: descriptions, tables, and the contents of what only they have.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "image/ghost.h"
#include "image/load.h"

/* Set in remap_id for a ghost, by writers that know no remap_type. */
#define LEGACY_GHOST (1u << 31)

/* Reads a part that may be missing, message by message, into an array of pointers. */
#define LOAD_LIST(load, kind, type, array, err)                                                    \
	({                                                                                         \
		_cleanup_frame_ struct frame_reader __reader = { 0 };                              \
		int __ret = load_open(load, &__reader, kind, 0, err);                              \
		void *__msg;                                                                       \
		if (__ret > 0)                                                                     \
			while ((__ret = frame_read(&__reader, type, &(load)->snap->arena, &__msg,  \
						   err)) > 0)                                      \
				*array_push(&(load)->snap->arena, array) = __msg;                  \
		__ret;                                                                             \
	})

/* The message that belongs to the entry's type; NULL: none is set, or none is known. */
static const void *inner_entry(const FileEntry *entry)
{
	switch (entry->type) {
	case FD_TYPES__REG: return entry->reg;
	case FD_TYPES__PIPE: return entry->pipe;
	case FD_TYPES__FIFO: return entry->fifo;
	case FD_TYPES__INETSK: return entry->isk;
	case FD_TYPES__UNIXSK: return entry->usk;
	case FD_TYPES__EVENTFD: return entry->efd;
	case FD_TYPES__EVENTPOLL: return entry->epfd;
	case FD_TYPES__INOTIFY: return entry->ify;
	case FD_TYPES__SIGNALFD: return entry->sgfd;
	case FD_TYPES__PACKETSK: return entry->psk;
	case FD_TYPES__TTY: return entry->tty;
	case FD_TYPES__FANOTIFY: return entry->ffy;
	case FD_TYPES__NETLINKSK: return entry->nlsk;
	case FD_TYPES__NS: return entry->nsf;
	case FD_TYPES__TUNF: return entry->tunf;
	case FD_TYPES__EXT: return entry->ext;
	case FD_TYPES__TIMERFD: return entry->tfd;
	case FD_TYPES__MEMFD: return entry->memfd;
	case FD_TYPES__BPFMAP: return entry->bpf;
	case FD_TYPES__PIDFD: return entry->pidfd;
	default: return NULL;
	}
}

static int add_file(struct load *load, FileEntry *entry, struct err *err)
{
	if (!inner_entry(entry))
		return err_set(err, -EBADMSG,
			       "image file 'files.img': file %u of type %d says "
			       "nothing of itself",
			       entry->id, (int)entry->type);
	if (!entry->id || entry->id == UINT32_MAX)
		return err_set(err, -EBADMSG, "image file 'files.img': a file with the number %u",
			       entry->id);
	if (hashmap_get(&load->objects, KEY_FILE, entry->id))
		return err_set(err, -EBADMSG, "image file 'files.img': file %u is there twice",
			       entry->id);

	struct ofd *ofd = snapshot_add_file(load->snap);
	ofd->entry = entry;
	hashmap_put(&load->objects, KEY_FILE, entry->id, ofd);
	if (load->snap->next_file_id <= entry->id)
		load->snap->next_file_id = entry->id + 1;
	return 0;
}

static int load_entries(struct load *load, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	FileEntry *entry;

	/* A tree of zombies has none. */
	int ret = load_open(load, &reader, IMG_FILES, 0, err);
	while (ret > 0) {
		ret = frame_read(&reader, &file_entry__descriptor, &load->snap->arena, &entry, err);
		if (ret <= 0)
			break;
		ret = add_file(load, entry, err);
		ret = ret < 0 ? ret : 1;
	}
	return ret;
}

static int load_ghost(struct load *load, uint32_t id, struct err *err)
{
	if (hashmap_get(&load->objects, KEY_GHOST, id))
		return 0;
	struct ghost *ghost = array_push(&load->snap->arena, &load->snap->ghosts);
	ghost->id = id;
	ghost->fd = -1;
	hashmap_put(&load->objects, KEY_GHOST, id, load);
	return ghost_load(load->dirfd, &load->snap->arena, ghost, err);
}

static int load_remaps(struct load *load, struct err *err)
{
	int ret = LOAD_LIST(load, IMG_REMAP_FPATH, &remap_file_path_entry__descriptor,
			    &load->snap->remaps, err);

	for (size_t i = 0; ret == 0 && i < load->snap->remaps.n; i++) {
		RemapFilePathEntry *remap = load->snap->remaps.v[i];

		if (!remap->has_remap_type) {
			remap->has_remap_type = true;
			remap->remap_type = remap->remap_id & LEGACY_GHOST ? REMAP_TYPE__GHOST :
									     REMAP_TYPE__LINKED;
			remap->remap_id &= ~LEGACY_GHOST;
		}
		if (remap->remap_type == REMAP_TYPE__GHOST)
			ret = load_ghost(load, remap->remap_id, err);
	}
	return ret;
}

/* A memfd is shared memory that has descriptors. */
static int load_memfds(struct load *load, struct err *err)
{
	struct snapshot *snap = load->snap;
	int ret = LOAD_LIST(load, IMG_MEMFD, &memfd_inode_entry__descriptor, &snap->memfds, err);

	for (size_t i = 0; ret == 0 && i < snap->memfds.n; i++) {
		const MemfdInodeEntry *inode = snap->memfds.v[i];

		if (hashmap_get(&load->objects, KEY_SHMEM, inode->shmid) ||
		    hashmap_get(&load->objects, KEY_INODE, inode->inode_id))
			return err_set(err, -EBADMSG,
				       "image file 'memfd.img': memfd %llu or its "
				       "contents %u are there twice",
				       (unsigned long long)inode->inode_id, inode->shmid);
		struct shmem *shmem = ARENA_NEW(&snap->arena, struct shmem);
		shmem->shmid = inode->shmid;
		shmem->size = inode->size;
		*array_push(&snap->arena, &snap->shmems) = shmem;
		hashmap_put(&load->objects, KEY_SHMEM, inode->shmid, shmem);
		hashmap_put(&load->objects, KEY_INODE, inode->inode_id, shmem);
	}
	for (size_t i = 0; ret == 0 && i < snap->files.n; i++) {
		struct ofd *ofd = snap->files.v[i];
		struct shmem *shmem;

		if (ofd->entry->type != FD_TYPES__MEMFD)
			continue;
		shmem = hashmap_get(&load->objects, KEY_INODE, ofd->entry->memfd->inode_id);
		if (!shmem)
			return err_set(err, -EBADMSG,
				       "image file 'files.img': file %u is of memfd %u, "
				       "which is not there",
				       ofd->entry->id, ofd->entry->memfd->inode_id);
		if (!shmem->memfd)
			shmem->memfd = ofd;
	}
	return ret;
}

static int load_pipe_data(struct load *load, enum image_kind kind, struct pipe_data **ret_data,
			  size_t *ret_n, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	ARRAY(struct pipe_data) list = { 0 };

	int ret = load_open(load, &reader, kind, 0, err);
	while (ret > 0) {
		PipeDataEntry *entry;
		const void *data;

		ret = frame_read(&reader, &pipe_data_entry__descriptor, &load->snap->arena, &entry,
				 err);
		if (ret <= 0)
			break;
		ret = frame_read_bytes(&reader, entry->bytes, &data, err);
		if (ret < 0)
			break;
		ret = 1;
		*array_push(&load->snap->arena, &list) = (struct pipe_data){
			.entry = entry,
			.data = arena_memdup(&load->snap->arena, data, entry->bytes),
		};
	}
	*ret_data = list.v;
	*ret_n = list.n;
	return ret;
}

static int load_pipes(struct load *load, struct err *err)
{
	struct snapshot *snap = load->snap;
	int ret = load_pipe_data(load, IMG_PIPES_DATA, &snap->pipe_data.v, &snap->pipe_data.n, err);

	snap->pipe_data.cap = snap->pipe_data.n;
	if (ret == 0)
		ret = load_pipe_data(load, IMG_FIFO_DATA, &snap->fifo_data.v, &snap->fifo_data.n,
				     err);
	snap->fifo_data.cap = snap->fifo_data.n;
	return ret;
}

static int load_seccomp(struct load *load, struct err *err)
{
	SeccompEntry *entry;
	int ret = load_one(load, IMG_SECCOMP, 0, &seccomp_entry__descriptor, &entry, err);

	if (ret > 0 && entry->n_seccomp_filters)
		load->snap->seccomp = entry;
	return ret < 0 ? ret : 0;
}

static int load_cpuinfo(struct load *load, struct err *err)
{
	CpuinfoEntry *entry;
	int ret = load_one(load, IMG_CPUINFO, 0, &cpuinfo_entry__descriptor, &entry, err);

	if (ret > 0)
		load->snap->cpuinfo = entry;
	return ret < 0 ? ret : 0;
}

int load_files(struct load *load, struct err *err)
{
	struct snapshot *snap = load->snap;
	int ret = load_entries(load, err);

	if (ret == 0)
		ret = load_remaps(load, err);
	if (ret == 0)
		ret = load_memfds(load, err);
	if (ret == 0)
		ret = load_pipes(load, err);
	if (ret == 0)
		ret = LOAD_LIST(load, IMG_TTY_INFO, &tty_info_entry__descriptor, &snap->ttys, err);
	if (ret == 0)
		ret = LOAD_LIST(load, IMG_TTY_DATA, &tty_data_entry__descriptor, &snap->tty_data,
				err);
	if (ret == 0)
		ret = LOAD_LIST(load, IMG_FILE_LOCKS, &file_lock_entry__descriptor, &snap->locks,
				err);
	if (ret == 0)
		ret = load_seccomp(load, err);
	return ret < 0 ? ret : load_cpuinfo(load, err);
}

static int compare_slots(const void *a, const void *b)
{
	const struct fd_slot *left = a, *right = b;

	return left->fd < right->fd ? -1 : left->fd > right->fd;
}

static int add_slot(struct load *load, struct fdtable *table, const FdinfoEntry *entry,
		    struct err *err)
{
	struct ofd *ofd = hashmap_get(&load->objects, KEY_FILE, entry->id);

	if (!ofd || ofd->entry->type != entry->type)
		return err_set(err, -EBADMSG,
			       "image file 'fdinfo-%u.img': descriptor %u is file %u of "
			       "type %d, which is not there",
			       table->id, entry->fd, entry->id, (int)entry->type);
	if (entry->fd > INT_MAX)
		return err_set(err, -EBADMSG, "image file 'fdinfo-%u.img': descriptor %u",
			       table->id, entry->fd);
	*array_push(&load->snap->arena, &table->slots) =
		(struct fd_slot){ .fd = (int)entry->fd, .cloexec = entry->flags & 1, .ofd = ofd };
	return 0;
}

int load_fdtable(struct load *load, struct task *task, uint32_t files_id, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	struct fdtable *table = hashmap_get(&load->objects, KEY_FDT, files_id);
	FdinfoEntry *entry;

	task->fdt = table;
	if (table)
		return 0;
	int ret = load_open_needed(load, &reader, IMG_FDINFO, files_id, err);
	if (ret < 0)
		return ret;
	table = ARENA_NEW(&load->snap->arena, struct fdtable);
	table->id = files_id;
	while (ret >= 0) {
		ret = frame_read(&reader, &fdinfo_entry__descriptor, &load->snap->arena, &entry,
				 err);
		if (ret <= 0)
			break;
		ret = add_slot(load, table, entry, err);
	}
	if (ret < 0)
		return ret;
	if (table->slots.n)
		qsort(table->slots.v, table->slots.n, sizeof(table->slots.v[0]), compare_slots);
	*array_push(&load->snap->arena, &load->snap->fdtables) = table;
	hashmap_put(&load->objects, KEY_FDT, files_id, table);
	task->fdt = table;
	return 0;
}
