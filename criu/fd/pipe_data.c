// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in pipes, see pipe_data.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "fd/kinds.h"
#include "fd/pipe_data.h"
#include "fd/reopen.h"

/* Keys of fd_shared.objects: the pipe itself, and the numbers that are given out. */
static uint64_t object_key(const struct ofd *ofd)
{
	return (uint64_t)ofd->kind->type << 48 | ofd->rec->dev;
}

static uint64_t id_key(const struct ofd *ofd)
{
	return (uint64_t)ofd->kind->type << 48 | UINT64_C(1) << 47;
}

/* The image has the inode number alone: FIFOs of two file systems may need another one. */
static uint32_t choose_id(struct fd_shared *shared, const struct ofd *ofd, void *object)
{
	uint32_t id = (uint32_t)ofd->rec->ino;

	while (!id || hashmap_get(&shared->objects, id_key(ofd), id))
		id++;
	hashmap_put(&shared->objects, id_key(ofd), id, object);
	return id;
}

static void note_description(const struct fd_extract *x, const struct ofd *ofd)
{
	struct fd_shared *shared = fd_shared(x);
	int access = (int)ofd->rec->flags & O_ACCMODE;
	struct pipe_object *object = hashmap_get(&shared->objects, object_key(ofd), ofd->rec->ino);

	if (!object) {
		object = ARENA_NEW(&x->snap->arena, struct pipe_object);
		object->first = ofd;
		object->id = choose_id(shared, ofd, object);
		hashmap_put(&shared->objects, object_key(ofd), ofd->rec->ino, object);
	}
	if (access != O_WRONLY) {
		object->nr_readers++;
		object->reader = object->reader ? object->reader : ofd;
	}
	if (access != O_RDONLY) {
		object->nr_writers++;
		object->packets = object->packets || (ofd->rec->flags & O_DIRECT);
	}
}

struct pipe_object *pipe_object_find(const struct fd_extract *x, const struct ofd *ofd)
{
	struct fd_shared *shared = fd_shared(x);

	for (size_t i = 0; !shared->pipes_known && i < x->snap->files.n; i++) {
		const struct ofd *other = x->snap->files.v[i];

		if (other->rec && other->kind && S_ISFIFO(other->rec->mode) &&
		    other->kind->type != FD_TYPES__REG)
			note_description(x, other);
	}
	shared->pipes_known = true;
	return hashmap_get(&shared->objects, object_key(ofd), ofd->rec->ino);
}

/* ---- Reading without consuming ---- */

/* crib's own pipe, with room for what @size bytes of another can hold: a page for each write. */
static int own_pipe(struct fd_shared *shared, int size, struct err *err)
{
	int *fds = shared->own_pipe;

	if (fds[0] < 0 && pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return err_sys(err, "make a pipe");
	if (fcntl(fds[1], F_GETPIPE_SZ) < size && fcntl(fds[1], F_SETPIPE_SZ, size) < 0)
		return err_sys(err,
			       "make a pipe of %d bytes to read one that has as many; raise "
			       "/proc/sys/fs/pipe-max-size or run crib with CAP_SYS_RESOURCE",
			       size);
	return 0;
}

/* In packet mode a read(2) ends with a packet; of other contents it gives all there is. */
static int read_own_pipe(struct fd_extract *x, bool packets, size_t size, struct pipe_data *data,
			 struct err *err)
{
	ARRAY(uint32_t) sizes = { 0 };
	char *bytes = arena_alloc(&x->snap->arena, size);
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(fd_shared(x)->own_pipe[0], bytes + done, size - done);

		if (got <= 0)
			return got ? err_sys(err, "read a copy of the pipe") :
				     err_set(err, -EIO, "read a copy of the pipe: it is empty");
		*array_push(&x->snap->arena, &sizes) = (uint32_t)got;
		done += (size_t)got;
	}
	data->data = bytes;
	data->entry->bytes = (uint32_t)size;
	if (packets || sizes.n > 1) {
		data->entry->packets = sizes.v;
		data->entry->n_packets = sizes.n;
	}
	return 0;
}

/* tee(2) wants a descriptor for reading; a FIFO may be open for writing only and yet hold data. */
static int copy_contents(struct fd_extract *x, const struct pipe_object *object, int fd,
			 size_t bytes, struct pipe_data *data, struct err *err)
{
	_cleanup_close_ int reader = -1;
	int ret = own_pipe(fd_shared(x), (int)data->entry->size, err);

	if (ret < 0)
		return ret;
	if (object->reader) {
		fd = object->reader->borrowed_fd;
	} else {
		reader = fd_reopen(fd, O_RDONLY | O_NONBLOCK, err);
		if (reader < 0)
			return reader;
		fd = reader;
	}
	ssize_t got = tee(fd, fd_shared(x)->own_pipe[1], INT_MAX, SPLICE_F_NONBLOCK);
	if (got < 0)
		return err_sys(err, "tee a pipe");
	if ((size_t)got < bytes)
		return err_set(err, -EIO, "tee a pipe: %zd of %zu bytes", got, bytes);
	return read_own_pipe(x, object->packets, (size_t)got, data, err);
}

int pipe_data_save(struct fd_extract *x, const struct pipe_object *object, int fd,
		   struct pipe_data *data, struct err *err)
{
	PipeDataEntry *entry = SNAP_MSG(x->snap, PipeDataEntry, pipe_data_entry);
	int bytes = 0, size = fcntl(fd, F_GETPIPE_SZ);
	struct stat st;

	if (size < 0 || ioctl(fd, FIONREAD, &bytes) || fstat(fd, &st))
		return err_sys(err, "get the size of a pipe");
	entry->pipe_id = object->id;
	entry->has_size = true;
	entry->size = (uint32_t)size;
	*data = (struct pipe_data){ .entry = entry, .data = "" };
	if (object->outside)
		entry->has_outside = entry->outside = true;
	if (object->first->kind->type == FD_TYPES__PIPE) {
		entry->has_mode = entry->has_uid = entry->has_gid = true;
		entry->mode = st.st_mode;
		entry->uid = st.st_uid;
		entry->gid = st.st_gid;
	}
	/* what nobody of the tree can read is not the tree's; a FIFO may find a reader later */
	if (!bytes || (!object->reader && (object->outside || entry->has_mode)))
		return 0;
	return copy_contents(x, object, fd, (size_t)bytes, data, err);
}

/* ---- Restore ---- */

struct pipe_group *pipe_group_find(struct snapshot *snap, struct hashmap *groups, uint32_t id)
{
	struct pipe_group *group = hashmap_get(groups, 0, id);

	if (!group) {
		group = ARENA_NEW(&snap->arena, struct pipe_group);
		group->id = id;
		hashmap_put(groups, 0, id, group);
	}
	return group;
}

void pipe_groups_link_data(struct hashmap *groups, const struct pipe_data *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct pipe_group *group = hashmap_get(groups, 0, list[i].entry->pipe_id);

		if (group)
			group->data = &list[i];
	}
}

static int set_size(const PipeDataEntry *entry, int fd, struct err *err)
{
	int now = fcntl(fd, F_GETPIPE_SZ);

	if (!entry->has_size || !entry->size || now == (int)entry->size)
		return 0;
	if (fcntl(fd, F_SETPIPE_SZ, entry->size) < 0)
		return err_sys(err,
			       "give a pipe its %u bytes; raise /proc/sys/fs/pipe-max-size or "
			       "run crib with CAP_SYS_RESOURCE",
			       entry->size);
	return 0;
}

static int set_owner(const PipeDataEntry *entry, int fd, struct err *err)
{
	struct stat st;

	if (!entry->has_uid || !entry->has_gid || !entry->has_mode)
		return 0;
	if (fstat(fd, &st))
		return err_sys(err, "stat a pipe");
	if ((st.st_uid != entry->uid || st.st_gid != entry->gid) &&
	    fchown(fd, entry->uid, entry->gid))
		return err_sys(err, "chown a pipe to %u:%u", entry->uid, entry->gid);
	if ((st.st_mode ^ entry->mode) & 07777 && fchmod(fd, entry->mode & 07777))
		return err_sys(err, "chmod a pipe to %o", entry->mode & 07777);
	return 0;
}

static int write_all(int fd, const char *bytes, size_t size, struct err *err)
{
	int ret = io_write(fd, bytes, size);

	if (ret == -EAGAIN)
		return err_set(err, ret, "write %zu bytes into a pipe: it is full before", size);
	return ret < 0 ? err_ret(err, ret, "write %zu bytes into a pipe", size) : 0;
}

static int write_packets(const struct pipe_data *data, int fd, struct err *err)
{
	const PipeDataEntry *entry = data->entry;
	size_t done = 0;
	int ret = fd_set_status(fd, O_NONBLOCK | O_DIRECT, err);

	for (size_t i = 0; i < entry->n_packets && ret == 0; i++) {
		if (entry->packets[i] > entry->bytes - done)
			return err_set(err, -EBADMSG, "pipe %u: packets of more than its %u bytes",
				       entry->pipe_id, entry->bytes);
		ret = write_all(fd, (const char *)data->data + done, entry->packets[i], err);
		done += entry->packets[i];
	}
	return ret;
}

int pipe_data_fill(const struct pipe_group *group, int fd, struct err *err)
{
	const struct pipe_data *data = group->data;
	int there = 0;

	if (!data)
		return 0;
	int ret = set_size(data->entry, fd, err);
	if (ret == 0)
		ret = set_owner(data->entry, fd, err);
	if (ret < 0 || !data->entry->bytes)
		return ret;
	if (ioctl(fd, FIONREAD, &there))
		return err_sys(err, "get the contents of a pipe");
	if ((uint32_t)there == data->entry->bytes)
		return 0;
	if (there)
		return err_set(err, -EEXIST,
			       "the pipe has %d bytes in it already, %u are to be put "
			       "in",
			       there, data->entry->bytes);
	if (data->entry->n_packets)
		return write_packets(data, fd, err);
	return write_all(fd, data->data, data->entry->bytes, err);
}
