// SPDX-License-Identifier: GPL-2.0-only
/*
 * FIFOs: pipes with a name. How one is opened is in a file entry of its own, which is restored as
 * regular files are; what is in it is kept as for pipes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fd/kinds.h"
#include "fd/pipe_data.h"
#include "fd/reg.h"
#include "fd/reopen.h"

static bool fifo_match(const struct rec_fd *rec)
{
	return S_ISFIFO(rec->mode) && !(rec->flags & O_PATH) && rec->path_len &&
	       rec->path[0] == '/';
}

/* ---- Dump ---- */

static int fifo_check(const struct fd_extract *x, const struct ofd *ofd, struct err *err)
{
	return reg_check(x, ofd, err);
}

/* Opened while nobody wrote, and nobody has since: it does not show the end of the file. */
static bool waits_for_writer(const struct fd_extract *x, const struct ofd *ofd, int fd)
{
	struct pollfd pollfd = { .fd = fd };

	if ((ofd->rec->flags & O_ACCMODE) != O_RDONLY || pipe_object_find(x, ofd)->nr_writers)
		return false;
	return poll(&pollfd, 1, 0) == 0;
}

static int fifo_extract(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	FifoEntry *entry = SNAP_MSG(x->snap, FifoEntry, fifo_entry);
	struct ofd *file;
	int ret = reg_extract_new(x, ofd->rec, fd, &file, err);

	if (ret < 0)
		return ret;
	entry->id = ofd->entry->id;
	entry->pipe_id = pipe_object_find(x, ofd)->id;
	entry->has_regf_id = true;
	entry->regf_id = file->entry->id;
	if (waits_for_writer(x, ofd, fd))
		entry->has_no_writer_yet = entry->no_writer_yet = true;
	ofd->entry->fifo = entry;
	return 0;
}

static int fifo_resolve(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	const struct pipe_object *object = pipe_object_find(x, ofd);
	struct pipe_data data;

	if (object->first != ofd)
		return 0;
	int ret = pipe_data_save(x, object, fd, &data, err);
	if (ret == 0)
		*array_push(&x->snap->arena, &x->snap->fifo_data) = data;
	return ret;
}

/* ---- Restore ---- */

/* ofd->priv */
struct fifo_file {
	struct pipe_group *group;
	const struct ofd *file; /* how it is opened */
};

static bool fifo_resource(const struct snapshot *snap, const struct ofd *ofd, char *buf,
			  size_t size)
{
	const struct ofd *file = snapshot_find_file(snap, ofd->entry->fifo->regf_id);

	return file && file->entry->reg && fd_kind_reg.resource(snap, file, buf, size);
}

static int fifo_adapt(struct snapshot *snap, const struct opts *opts, struct err *err)
{
	struct hashmap groups = { 0 };
	int ret = 0;

	for (size_t i = 0; i < snap->files.n && ret == 0; i++) {
		struct ofd *ofd = snap->files.v[i];
		const FifoEntry *entry = ofd->entry->fifo;

		if (!ofd->owner || ofd->entry->type != FD_TYPES__FIFO)
			continue;
		struct fifo_file *fifo = ARENA_NEW(&snap->arena, struct fifo_file);

		fifo->group = pipe_group_find(snap, &groups, entry->pipe_id);
		if (!fifo->group->first)
			fifo->group->first = ofd;
		if (entry->has_regf_id)
			fifo->file = snapshot_find_file(snap, entry->regf_id);
		if (!fifo->file || !fifo->file->entry->reg)
			ret = err_set(err, -EBADMSG, "file %u is a FIFO without a path", entry->id);
		ofd->priv = fifo;
	}
	pipe_groups_link_data(&groups, snap->fifo_data.v, snap->fifo_data.n);
	hashmap_fini(&groups);
	return ret;
}

static const struct ofd *fifo_after(const struct snapshot *snap, const struct ofd *ofd)
{
	const struct fifo_file *fifo = ofd->priv;

	return fifo->group->first == ofd ? NULL : fifo->group->first;
}

/*
 * @both: open for reading and writing, so that nothing waits. A reader that shall not have seen a
 * writer is opened once more when that one is gone; @held keeps what is in the FIFO meanwhile.
 */
static int open_end(struct fd_opener *opener, const struct ofd *ofd, int *both_take, int *ret_fd,
		    struct err *err)
{
	const struct fifo_file *fifo = ofd->priv;
	int flags = (int)(fifo->file->entry->reg->flags &
			  ~(O_CREAT | O_EXCL | O_TRUNC | O_DIRECT | kernel_o_largefile));
	_cleanup_close_ int both = take_fd(both_take), held = -1;

	if (!ofd->entry->fifo->no_writer_yet)
		return fd_open_path(opener, fifo->file, flags, ret_fd, err);
	int ret = fd_open_path(opener, fifo->file, O_RDONLY | O_NONBLOCK, &held, err);
	if (ret < 0)
		return ret;
	close(take_fd(&both));
	return fd_open_path(opener, fifo->file, flags | O_NONBLOCK, ret_fd, err);
}

static int fifo_open(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err)
{
	const struct fifo_file *fifo = ofd->priv;
	uint32_t flags = fifo->file->entry->reg->flags;
	_cleanup_close_ int both = -1, fd = -1;
	int ret;

	if (ofd->inherited_fd >= 0)
		return fd_open_inherited(ofd, flags, ret_fd, err);
	ret = fd_open_path(opener, fifo->file, O_RDWR | O_NONBLOCK, &both, err);
	if (ret == 0 && fifo->group->first == ofd)
		ret = pipe_data_fill(fifo->group, both, err);
	if (ret < 0)
		return ret;
	ret = open_end(opener, ofd, &both, &fd, err);
	if (ret == 0)
		ret = fd_set_status(fd, flags, err);
	if (ret == 0)
		*ret_fd = take_fd(&fd);
	return ret;
}

static bool fifo_needs_finish(const struct ofd *ofd)
{
	const RegFileEntry *reg = ((const struct fifo_file *)ofd->priv)->file->entry->reg;

	return fd_needs_async(reg->flags, reg->fown);
}

static int fifo_finish(struct fd_opener *opener, const struct ofd *ofd, int fd, struct err *err)
{
	const RegFileEntry *reg = ((const struct fifo_file *)ofd->priv)->file->entry->reg;

	return fd_set_async(fd, reg->flags, reg->fown, err);
}

const struct fd_kind fd_kind_fifo = {
	.name = "fifo",
	.type = FD_TYPES__FIFO,
	.match = fifo_match,
	.check = fifo_check,
	.extract = fifo_extract,
	.resolve = fifo_resolve,
	.resource = fifo_resource,
	.adapt = fifo_adapt,
	.after = fifo_after,
	.open = fifo_open,
	.finish = fifo_finish,
	.needs_finish = fifo_needs_finish,
};
