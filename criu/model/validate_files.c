// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold of the open files of a snapshot, see snapshot_validate().
 */
#include <errno.h>

#include "model/validate.h"

bool validate_has_file(const struct validate *v, const struct ofd *ofd)
{
	return ofd && ofd->entry && hashmap_get(&v->seen, SEEN_FILE, ofd->entry->id) == ofd;
}

static const struct ofd *find_file(const struct validate *v, uint32_t id)
{
	return hashmap_get(&v->seen, SEEN_FILE, id);
}

static int note_files(struct validate *v)
{
	for (size_t i = 0; i < v->snap->files.n; i++) {
		const struct ofd *ofd = v->snap->files.v[i];

		if (!ofd->entry)
			return err_set(v->err, -EBADMSG, "file %zu says nothing of itself", i);
		int ret = validate_unique(v, SEEN_FILE, ofd->entry->id, ofd, "file");
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int check_table(struct validate *v, const struct fdtable *table)
{
	int last = -1;
	int ret = validate_unique(v, SEEN_FDTABLE, table->id, table, "descriptor table");

	if (ret < 0)
		return ret;
	array_each(const struct fd_slot, slot, &table->slots) {
		if (slot->fd <= last)
			return err_set(v->err, -EBADMSG,
				       "descriptor table %u: descriptor %d behind "
				       "%d",
				       table->id, slot->fd, last);
		if (!validate_has_file(v, slot->ofd))
			return err_set(v->err, -EBADMSG,
				       "descriptor table %u: the file of "
				       "descriptor %d is not there",
				       table->id, slot->fd);
		last = slot->fd;
	}
	return 0;
}

static int check_tables(struct validate *v)
{
	for (size_t i = 0; i < v->snap->fdtables.n; i++) {
		int ret = check_table(v, v->snap->fdtables.v[i]);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int check_remap(struct validate *v, const RemapFilePathEntry *remap)
{
	const struct ofd *orig = find_file(v, remap->orig_id);
	int ret = validate_unique(v, SEEN_REMAP, remap->orig_id, remap, "other name of file");

	if (ret < 0)
		return ret;
	if (!orig || !orig->entry->reg)
		return err_set(v->err, -EBADMSG,
			       "file %u, which is to be found under another name, "
			       "is not there",
			       remap->orig_id);
	if (remap->remap_type == REMAP_TYPE__GHOST &&
	    !hashmap_get(&v->seen, SEEN_GHOST, remap->remap_id))
		return err_set(v->err, -EBADMSG, "file %u: its deleted file %x is not there",
			       remap->orig_id, remap->remap_id);
	const struct ofd *other = find_file(v, remap->remap_id);
	if (remap->remap_type == REMAP_TYPE__LINKED && (!other || !other->entry->reg))
		return err_set(v->err, -EBADMSG,
			       "file %u: file %u, which it is linked as, is not "
			       "there",
			       remap->orig_id, remap->remap_id);
	return 0;
}

static int check_remaps(struct validate *v)
{
	array_each(const struct ghost, ghost, &v->snap->ghosts) {
		int ret = validate_unique(v, SEEN_GHOST, ghost->id, ghost, "deleted file");

		if (ret < 0)
			return ret;
		if (!ghost->entry)
			return err_set(v->err, -EBADMSG, "deleted file %x says nothing of itself",
				       ghost->id);
	}
	for (size_t i = 0; i < v->snap->remaps.n; i++) {
		int ret = check_remap(v, v->snap->remaps.v[i]);

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Files that stand for an object of their own name one that is there. */
static int check_referrer(struct validate *v, const FileEntry *entry)
{
	if (entry->type == FD_TYPES__MEMFD && entry->memfd &&
	    !hashmap_get(&v->seen, SEEN_MEMFD, entry->memfd->inode_id))
		return err_set(v->err, -EBADMSG, "file %u: memfd %u is not there", entry->id,
			       entry->memfd->inode_id);
	if (entry->type == FD_TYPES__TTY && entry->tty &&
	    !hashmap_get(&v->seen, SEEN_TTY, entry->tty->tty_info_id))
		return err_set(v->err, -EBADMSG, "file %u: terminal %u is not there", entry->id,
			       entry->tty->tty_info_id);
	if (entry->type == FD_TYPES__FIFO && entry->fifo && entry->fifo->has_regf_id &&
	    !find_file(v, entry->fifo->regf_id))
		return err_set(v->err, -EBADMSG,
			       "file %u: file %u, which is its path, is not there", entry->id,
			       entry->fifo->regf_id);
	return 0;
}

static int check_referrers(struct validate *v)
{
	const struct snapshot *snap = v->snap;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < snap->memfds.n; i++)
		ret = validate_unique(v, SEEN_MEMFD, snap->memfds.v[i]->inode_id, snap->memfds.v[i],
				      "memfd");
	for (size_t i = 0; ret == 0 && i < snap->ttys.n; i++)
		ret = validate_unique(v, SEEN_TTY, snap->ttys.v[i]->id, snap->ttys.v[i],
				      "terminal");
	for (size_t i = 0; ret == 0 && i < snap->tty_data.n; i++) {
		const TtyDataEntry *data = snap->tty_data.v[i];

		ret = validate_unique(v, SEEN_TTY_DATA, data->tty_id, data, "input of terminal");
		if (ret == 0 && !hashmap_get(&v->seen, SEEN_TTY, data->tty_id))
			ret = err_set(v->err, -EBADMSG,
				      "there is input for terminal %u, which is "
				      "not there",
				      data->tty_id);
	}
	for (size_t i = 0; ret == 0 && i < snap->files.n; i++)
		ret = check_referrer(v, snap->files.v[i]->entry);
	return ret;
}

static int check_pipe_data(struct validate *v)
{
	array_each(const struct pipe_data, data, &v->snap->pipe_data) {
		int ret = validate_unique(v, SEEN_PIPE, data->entry->pipe_id, data,
					  "contents of pipe");

		if (ret < 0)
			return ret;
	}
	array_each(const struct pipe_data, data, &v->snap->fifo_data) {
		int ret = validate_unique(v, SEEN_FIFO, data->entry->pipe_id, data,
					  "contents of fifo");

		if (ret < 0)
			return ret;
	}
	return 0;
}

int validate_files(struct validate *v)
{
	int ret = note_files(v);

	if (ret == 0)
		ret = check_tables(v);
	if (ret == 0)
		ret = check_remaps(v);
	if (ret == 0)
		ret = check_referrers(v);
	return ret < 0 ? ret : check_pipe_data(v);
}

static const struct fd_slot *find_slot(const struct fdtable *table, int fd)
{
	size_t low = 0, high = table ? table->slots.n : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (table->slots.v[middle].fd < fd)
			low = middle + 1;
		else
			high = middle;
	}
	return table && low < table->slots.n && table->slots.v[low].fd == fd ?
		       &table->slots.v[low] :
		       NULL;
}

int validate_locks(struct validate *v)
{
	for (size_t i = 0; i < v->snap->locks.n; i++) {
		const FileLockEntry *lock = v->snap->locks.v[i];
		const struct thread *thread = hashmap_get(&v->seen, SEEN_TID, (uint64_t)lock->pid);

		if (!thread || thread->task->pid != lock->pid ||
		    !find_slot(thread->task->fdt, lock->fd))
			return err_set(v->err, -EBADMSG,
				       "a file lock is held by descriptor %d of "
				       "task %d, which is not there",
				       lock->fd, lock->pid);
	}
	return 0;
}
