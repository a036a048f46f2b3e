// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pipes made by pipe(2). The first description of a pipe makes it anew, with its contents. Since
 * both ends come to be at once, the maker keeps the one that is another's where that can find it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/pidref.h"
#include "fd/kinds.h"
#include "fd/pipe_data.h"
#include "fd/reopen.h"

enum { READ_END, WRITE_END };

static bool pipe_match(const struct rec_fd *rec)
{
	return S_ISFIFO(rec->mode) && !(rec->flags & O_PATH) && rec_path_has_prefix(rec, "pipe:[");
}

/* ---- Dump ---- */

/* True if somebody has the end open that the tree has not; or -errno. */
static int is_open_outside(const struct pipe_object *object, const struct ofd *ofd, struct err *err)
{
	struct pollfd pollfd = { .events = 0 };
	_cleanup_close_ int fd = pidref_getfd(ofd->owner->pidfd, ofd->owner_fd);

	if (fd < 0)
		return err_ret(err, fd, "pidfd_getfd");
	pollfd.fd = fd;
	if (poll(&pollfd, 1, 0) < 0)
		return err_sys(err, "poll a pipe");
	return !(pollfd.revents & (object->nr_readers ? POLLHUP : POLLERR));
}

static bool is_external(const struct opts *opts, uint32_t id)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", id);
	return opts_find_external(opts, "pipe", number) ||
	       opts_find_external(opts, "pipe:", number);
}

static int pipe_check(const struct fd_extract *x, const struct ofd *ofd, struct err *err)
{
	struct pipe_object *object = pipe_object_find(x, ofd);

	if (object->first != ofd || (object->nr_readers && object->nr_writers))
		return 0;
	int outside = is_open_outside(object, ofd, err);
	if (outside <= 0)
		return outside;
	object->outside = true;
	if (is_external(x->opts, object->id))
		return 0;
	return err_set(err, -ENOTSUP,
		       "the end to %s of pipe:[%u] is open outside of the tree: use "
		       "--external pipe:[%u], and give a new one to restore with --inherit-fd "
		       "fd[N]:pipe:[%u]",
		       object->nr_readers ? "write" : "read", object->id, object->id, object->id);
}

static int pipe_extract(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	PipeEntry *entry = SNAP_MSG(x->snap, PipeEntry, pipe_entry);

	entry->id = ofd->entry->id;
	entry->pipe_id = pipe_object_find(x, ofd)->id;
	entry->flags = ofd->rec->flags;
	entry->fown = fd_fown_extract(x->snap, fd);
	ofd->entry->pipe = entry;
	return 0;
}

static int pipe_resolve(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	const struct pipe_object *object = pipe_object_find(x, ofd);
	struct pipe_data data;

	if (object->first != ofd)
		return 0;
	int ret = pipe_data_save(x, object, fd, &data, err);
	if (ret == 0)
		*array_push(&x->snap->arena, &x->snap->pipe_data) = data;
	return ret;
}

/* ---- Restore ---- */

static bool pipe_resource(const struct snapshot *snap, const struct ofd *ofd, char *buf,
			  size_t size)
{
	snprintf(buf, size, "pipe:[%u]", ofd->entry->pipe->pipe_id);
	return true;
}

static int access_of(const struct ofd *ofd)
{
	return (int)ofd->entry->pipe->flags & O_ACCMODE;
}

static int check_other_end(const struct pipe_group *group, const struct ofd *ofd, struct err *err)
{
	if (ofd->inherited_fd >= 0 || !group->data || !group->data->entry->outside)
		return 0;
	return err_set(err, -EINVAL,
		       "task %d: descriptor %d: the other end of pipe:[%u] was open "
		       "outside of the tree: give a new one with --inherit-fd fd[N]:pipe:[%u]",
		       ofd->owner->pid, ofd->owner_fd, group->id, group->id);
}

static void note_end(struct pipe_group *group, const struct ofd *ofd)
{
	int access = access_of(ofd);

	if (!group->first)
		group->first = ofd;
	if (access != O_RDWR && !group->end[access == O_WRONLY] &&
	    !(ofd->entry->pipe->flags & kernel_o_largefile))
		group->end[access == O_WRONLY] = ofd;
}

/* Room for what the makers of all pipes tell the other actors. */
static int32_t *make_parking(struct snapshot *snap, size_t nr_groups, struct err *err)
{
	size_t size = nr_groups * 2 * sizeof(int32_t);
	int32_t *parked =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (parked == MAP_FAILED) {
		err_sys(err, "map %zu bytes", size);
		return NULL;
	}
	memset(parked, -1, size);
	snap->pipe_ends.map = parked;
	snap->pipe_ends.size = size;
	return parked;
}

void pipe_cleanup(struct snapshot *snap)
{
	if (snap->pipe_ends.map)
		munmap(snap->pipe_ends.map, snap->pipe_ends.size);
	snap->pipe_ends.map = NULL;
}

static int pipe_adapt(struct snapshot *snap, const struct opts *opts, struct err *err)
{
	struct hashmap groups = { 0 };
	int ret = 0;

	for (size_t i = 0; i < snap->files.n; i++) {
		struct ofd *ofd = snap->files.v[i];

		if (!ofd->owner || ofd->entry->type != FD_TYPES__PIPE)
			continue;
		struct pipe_group *group =
			pipe_group_find(snap, &groups, ofd->entry->pipe->pipe_id);
		ofd->priv = group;
		note_end(group, ofd);
	}
	pipe_groups_link_data(&groups, snap->pipe_data.v, snap->pipe_data.n);
	int32_t *parked = groups.n ? make_parking(snap, groups.n, err) : NULL;
	if (groups.n && !parked)
		ret = -ENOMEM;
	for (size_t i = 0; i < snap->files.n && ret == 0; i++) {
		struct ofd *ofd = snap->files.v[i];
		struct pipe_group *group = ofd->priv;

		if (!ofd->owner || ofd->entry->type != FD_TYPES__PIPE)
			continue;
		if (!group->parked) {
			group->parked = parked;
			parked += 2;
		}
		ret = check_other_end(group, ofd, err);
	}
	hashmap_fini(&groups);
	return ret;
}

static const struct ofd *pipe_after(const struct snapshot *snap, const struct ofd *ofd)
{
	const struct pipe_group *group = ofd->priv;

	return group->first == ofd ? NULL : group->first;
}

/* Contents that were read from an end whose other one is new: they come first. */
static int fill_inherited(const struct pipe_group *group, int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(err, "stat an inherited pipe");
	if (!group->data || !group->data->entry->bytes || !S_ISFIFO(st.st_mode) ||
	    st.st_ino == group->id)
		return 0;
	_cleanup_close_ int writer = fd_reopen(fd, O_WRONLY | O_NONBLOCK, err);
	if (writer < 0)
		return writer;
	int ret = io_write(writer, group->data->data, group->data->entry->bytes);
	return ret < 0 ? err_ret(err, ret, "put the old contents into an inherited pipe") : 0;
}

static int park(const struct fd_opener *opener, const struct pipe_group *group, int end, int fd,
		struct err *err)
{
	int number = fcntl(fd, F_DUPFD_CLOEXEC, opener->service_fd);

	if (number < 0)
		return err_sys(err, "duplicate a descriptor");
	group->parked[end] = number;
	return 0;
}

/* Makes the pipe of @ofd; the ends that others need are put where these find them. */
static int make_pipe(const struct fd_opener *opener, const struct ofd *ofd, int *ret_fd,
		     struct err *err)
{
	const struct pipe_group *group = ofd->priv;
	int fds[2], ret;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return err_sys(err, "make a pipe");
	_cleanup_close_ int reader = fds[0], writer = fds[1];
	ret = pipe_data_fill(group, writer, err);
	for (int end = READ_END; end <= WRITE_END && ret == 0; end++)
		if (group->end[end] && group->end[end] != ofd)
			ret = park(opener, group, end, end == READ_END ? reader : writer, err);
	if (ret < 0)
		return ret;
	if (group->end[READ_END] == ofd)
		*ret_fd = take_fd(&reader);
	else if (group->end[WRITE_END] == ofd)
		*ret_fd = take_fd(&writer);
	else
		*ret_fd = fd_reopen(reader, access_of(ofd), err);
	return *ret_fd < 0 ? *ret_fd : 0;
}

/* Joins a pipe that has been made. */
static int join_pipe(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err)
{
	const struct pipe_group *group = ofd->priv;
	_cleanup_close_ int first = -1;

	for (int end = READ_END; end <= WRITE_END; end++) {
		int32_t *parked = &group->parked[end];

		if (group->end[end] != ofd)
			continue;
		*ret_fd = group->first->owner == opener->task ?
				  take_fd(parked) :
				  fd_fetch_number(opener, group->first->owner, *parked, err);
		return *ret_fd < 0 ? *ret_fd : 0;
	}
	int ret = opener->fetch(opener, group->first, &first, err);
	if (ret < 0)
		return ret;
	*ret_fd = fd_reopen(first, access_of(ofd), err);
	return *ret_fd < 0 ? *ret_fd : 0;
}

static int pipe_open(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err)
{
	const struct pipe_group *group = ofd->priv;
	_cleanup_close_ int fd = -1;
	int ret;

	if (ofd->inherited_fd >= 0) {
		ret = fd_open_inherited(ofd, ofd->entry->pipe->flags, &fd, err);
		if (ret == 0 && group->first == ofd)
			ret = fill_inherited(group, fd, err);
	} else {
		ret = group->first == ofd ? make_pipe(opener, ofd, &fd, err) :
					    join_pipe(opener, ofd, &fd, err);
		if (ret == 0)
			ret = fd_set_status(fd, ofd->entry->pipe->flags, err);
	}
	if (ret < 0)
		return ret;
	*ret_fd = take_fd(&fd);
	return 0;
}

static bool pipe_needs_finish(const struct ofd *ofd)
{
	return fd_needs_async(ofd->entry->pipe->flags, ofd->entry->pipe->fown);
}

static int pipe_finish(struct fd_opener *opener, const struct ofd *ofd, int fd, struct err *err)
{
	return fd_set_async(fd, ofd->entry->pipe->flags, ofd->entry->pipe->fown, err);
}

const struct fd_kind fd_kind_pipe = {
	.name = "pipe",
	.type = FD_TYPES__PIPE,
	.match = pipe_match,
	.check = pipe_check,
	.extract = pipe_extract,
	.resolve = pipe_resolve,
	.resource = pipe_resource,
	.adapt = pipe_adapt,
	.after = pipe_after,
	.open = pipe_open,
	.finish = pipe_finish,
	.needs_finish = pipe_needs_finish,
};
