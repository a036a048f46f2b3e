// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files without a name, see ghost.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/pidref.h"
#include "fd/ghost.h"
#include "fd/kinds.h"
#include "fd/reopen.h"
#include "image/image.h"

enum { BLOCK = 512 };

/* Too large to be copied into the image, holes not counted. */
static int check_limit(const struct fd_extract *x, const char *name, const struct stat *st,
		       struct err *err)
{
	uint64_t size = (uint64_t)st->st_blocks * BLOCK;

	if (!S_ISREG(st->st_mode) || size <= x->opts->ghost_limit)
		return 0;
	return err_set(err, -ENOTSUP,
		       "deleted file '%s' holds %llu bytes, more than %llu: use "
		       "--ghost-limit %llu",
		       name, (unsigned long long)size, (unsigned long long)x->opts->ghost_limit,
		       (unsigned long long)size);
}

static int check_links(const struct fd_extract *x, const char *name, const struct stat *st,
		       struct err *err)
{
	if (st->st_nlink == 0 || S_ISDIR(st->st_mode))
		return check_limit(x, name, st, err);
	if (!x->opts->link_remap)
		return err_set(err, -ENOTSUP,
			       "'%s' was deleted and has a link elsewhere: use "
			       "--link-remap",
			       name);
	return 0;
}

int ghost_check(const struct fd_extract *x, const struct ofd *ofd, struct err *err)
{
	const struct rec_fd *rec = ofd->rec;
	struct stat st;
	char name[256];

	if (!(rec->file_flags & REC_FILE_DELETED))
		return 0;
	_cleanup_close_ int fd = pidref_getfd(ofd->owner->pidfd, ofd->owner_fd);
	if (fd < 0)
		return err_ret(err, fd, "pidfd_getfd");
	if (fstat(fd, &st))
		return err_sys(err, "fstat '%.*s'", (int)rec->path_len, rec->path);
	snprintf(name, sizeof(name), "%.*s", (int)rec->path_len, rec->path);
	return check_links(x, name, &st, err);
}

static void add_remap(struct snapshot *snap, uint32_t orig_id, uint32_t remap_id, RemapType type)
{
	RemapFilePathEntry *remap = SNAP_MSG(snap, RemapFilePathEntry, remap_file_path_entry);

	remap->orig_id = orig_id;
	remap->remap_id = remap_id;
	remap->has_remap_type = true;
	remap->remap_type = type;
	*array_push(&snap->arena, &snap->remaps) = remap;
}

static Timeval *timeval_of(struct snapshot *snap, const struct timespec *ts)
{
	Timeval *tv = SNAP_MSG(snap, Timeval, timeval);

	tv->tv_sec = (uint64_t)ts->tv_sec;
	tv->tv_usec = (uint64_t)ts->tv_nsec / 1000;
	return tv;
}

static GhostFileEntry *ghost_entry_new(struct snapshot *snap, const struct stat *st)
{
	GhostFileEntry *entry = SNAP_MSG(snap, GhostFileEntry, ghost_file_entry);

	entry->uid = st->st_uid;
	entry->gid = st->st_gid;
	entry->mode = st->st_mode;
	entry->has_dev = entry->has_ino = true;
	entry->dev = (uint32_t)(major(st->st_dev) << 20 | minor(st->st_dev));
	entry->ino = st->st_ino;
	entry->has_rdev = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);
	entry->rdev = (uint32_t)st->st_rdev;
	entry->atim = timeval_of(snap, &st->st_atim);
	entry->mtim = timeval_of(snap, &st->st_mtim);
	if (S_ISREG(st->st_mode)) {
		entry->has_size = true;
		entry->size = (uint64_t)st->st_size;
	}
	return entry;
}

/* The duplicate may be for writing only, or O_PATH. */
static int reopen_for_reading(int fd, struct err *err)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int copy = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return copy < 0 ? err_sys(err, "open a deleted file again by '%s'", path) : copy;
}

static int add_ghost(struct fd_extract *x, const struct stat *st, int fd, uint32_t id,
		     struct err *err)
{
	int content = S_ISREG(st->st_mode) ? reopen_for_reading(fd, err) : -1;

	if (S_ISREG(st->st_mode) && content < 0)
		return content;
	*array_push(&x->snap->arena, &x->snap->ghosts) = (struct ghost){
		.id = id,
		.entry = ghost_entry_new(x->snap, st),
		.fd = content,
	};
	return 0;
}

/* Where there is no more room for it, it would be left by a dump that is killed. */
static void tell_name(struct fd_extract *x, const char *name)
{
	size_t len = strlen(name) + 1;

	if (!x->names || len > x->names_room)
		return;
	memcpy(x->names, name, len);
	x->names += len;
	x->names_room -= len;
}

/* A new name in the directory of the old one. criu's restore expects this form. */
static int add_link(struct fd_extract *x, const RegFileEntry *reg, const struct stat *st, int fd,
		    uint32_t *ret_id, struct err *err)
{
	struct snapshot *snap = x->snap;
	struct ofd *ofd = snapshot_add_file(snap);
	RegFileEntry *link = SNAP_MSG(snap, RegFileEntry, reg_file_entry);
	char *copy = arena_strdup(&snap->arena, reg->name);
	char path[48];

	ofd->entry = SNAP_MSG(snap, FileEntry, file_entry);
	ofd->entry->id = snap->next_file_id++;
	ofd->entry->type = FD_TYPES__REG;
	ofd->kind = &fd_kind_reg;
	ofd->entry->reg = link;
	*link = *reg;
	link->id = ofd->entry->id;
	link->name = arena_printf(&snap->arena, "%s/link_remap.%u", dirname(copy), link->id);
	link->fown = fd_fown_extract(snap, -1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, AT_FDCWD, link->name, AT_SYMLINK_FOLLOW))
		return err_sys(err, "link deleted file '%s' to '%s'", reg->name, link->name);
	*array_push(&snap->arena, &x->links) = link->name;
	tell_name(x, link->name);
	*ret_id = link->id;
	return 0;
}

/* What stands in for one inode. */
struct stand_in {
	uint32_t remap_id;
	RemapType type;
};

int ghost_extract(struct fd_extract *x, const RegFileEntry *reg, const struct stat *st, int fd,
		  struct err *err)
{
	struct fd_shared *shared = fd_shared(x);
	struct stand_in *have = hashmap_get(&shared->ghosts, st->st_dev, st->st_ino);
	bool ghost = st->st_nlink == 0 || S_ISDIR(st->st_mode);

	if (!have) {
		have = ARENA_NEW(&x->snap->arena, struct stand_in);
		int ret = check_links(x, reg->name, st, err);

		if (ret == 0 && ghost) {
			have->type = REMAP_TYPE__GHOST;
			have->remap_id = shared->next_ghost_id++;
			ret = add_ghost(x, st, fd, have->remap_id, err);
		} else if (ret == 0) {
			have->type = REMAP_TYPE__LINKED;
			ret = add_link(x, reg, st, fd, &have->remap_id, err);
		}
		if (ret < 0)
			return ret;
		hashmap_put(&shared->ghosts, st->st_dev, st->st_ino, have);
	}
	add_remap(x->snap, reg->id, have->remap_id, have->type);
	return 0;
}

void fd_extract_undo(struct fd_extract *x)
{
	for (size_t i = 0; i < x->links.n; i++)
		unlink(x->links.v[i]);
	x->links.n = 0;
}

void fd_extract_remove_names(const char *names, size_t size)
{
	while (size && *names) {
		size_t len = strnlen(names, size);

		if (len == size)
			break;
		unlink(names);
		names += len + 1;
		size -= len + 1;
	}
}

/* ---- Restore ---- */

static const RemapFilePathEntry *find_remap(const struct snapshot *snap, uint32_t id)
{
	for (size_t i = 0; i < snap->remaps.n; i++)
		if (snap->remaps.v[i]->orig_id == id)
			return snap->remaps.v[i];
	return NULL;
}

static struct ghost *find_ghost(const struct snapshot *snap, uint32_t id)
{
	array_each(struct ghost, ghost, &snap->ghosts)
		if (ghost->id == id)
			return ghost;
	return NULL;
}

/* The name under which a file that has been remapped can be opened, below the root. */
static const char *stand_in_path(const struct snapshot *snap, const RemapFilePathEntry *remap)
{
	if (remap->remap_type == REMAP_TYPE__GHOST) {
		const struct ghost *ghost = find_ghost(snap, remap->remap_id);

		return ghost ? ghost->path : NULL;
	}
	const struct ofd *ofd = snapshot_find_file(snap, remap->remap_id);
	return ofd && ofd->entry->reg ? ofd->entry->reg->name : NULL;
}

static bool never_had_name(const RegFileEntry *reg)
{
	return (reg->flags & O_TMPFILE) == O_TMPFILE;
}

/* The description that the file was made by with O_TMPFILE, or a new one. */
static int open_nameless(const struct ghost *ghost, const RegFileEntry *reg, int flags,
			 struct err *err)
{
	if (!never_had_name(reg) || fcntl(ghost->fd, F_GETFL) & O_PATH)
		return fd_reopen(ghost->fd, flags, err);
	int fd = fcntl(ghost->fd, F_DUPFD_CLOEXEC, 0);
	return fd < 0 ? err_sys(err, "duplicate the descriptor of '%s'", reg->name) : fd;
}

int ghost_open(struct fd_opener *opener, const RegFileEntry *reg, int flags, struct err *err)
{
	const RemapFilePathEntry *remap = find_remap(opener->snap, reg->id);

	if (!remap)
		return -ENOENT;
	const struct ghost *ghost = remap->remap_type == REMAP_TYPE__GHOST ?
					    find_ghost(opener->snap, remap->remap_id) :
					    NULL;
	if (ghost && ghost->fd >= 0)
		return open_nameless(ghost, reg, flags, err);
	const char *path = stand_in_path(opener->snap, remap);
	if (!path)
		return err_set(err, -EBADMSG,
			       "deleted file '%s' is not in the image (remap type "
			       "%d, id %u)",
			       reg->name, (int)remap->remap_type, remap->remap_id);
	const struct rootdir root = rootdir_of(opener->opts, opener->root_fd);
	int fd = rootdir_open(&root, path, flags, 0);
	if (fd < 0)
		return err_set(err, errno == ENOENT ? -ENXIO : -errno,
			       "open '%s', which stands in for deleted '%s': %s", path, reg->name,
			       strerror(errno));
	return fd;
}

/* Where a name stands, and its last part. */
struct place {
	const char *path;
	int dir;
	const char *name;
};

static void place_fini(struct place *place)
{
	cleanup_close(&place->dir);
}

static int find_place(const struct rootdir *root, const char *path, struct place *ret_place,
		      struct err *err)
{
	const char *name;
	int dir = rootdir_open_parent(root, path, &name);

	if (dir < 0)
		return err_sys(err, "open the directory of '%s'", path);
	*ret_place = (struct place){ path, dir, name };
	return 0;
}

static int make_node(const struct ghost *ghost, const struct place *place, int images_fd,
		     struct err *err)
{
	const GhostFileEntry *entry = ghost->entry;
	int dir = place->dir;

	if (S_ISDIR(entry->mode))
		return mkdirat(dir, place->name, entry->mode & 07777) ?
			       err_sys(err, "make directory '%s'", place->path) :
			       0;
	if (S_ISLNK(entry->mode))
		return symlinkat(entry->symlnk_target ? entry->symlnk_target : "", dir,
				 place->name) ?
			       err_sys(err, "make symbolic link '%s'", place->path) :
			       0;
	if (!S_ISREG(entry->mode))
		return mknodat(dir, place->name, entry->mode, entry->rdev) ?
			       err_sys(err, "make '%s' of mode %o", place->path, entry->mode) :
			       0;
	_cleanup_close_ int fd =
		openat(dir, place->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(err, "create '%s'", place->path);
	return image_copy_ghost(images_fd, ghost->id, fd, err);
}

static struct timespec to_timespec(const Timeval *tv)
{
	return (struct timespec){ (time_t)tv->tv_sec, (long)tv->tv_usec * 1000 };
}

/* The entry of the description by which the file was made with O_TMPFILE; NULL: it had a name. */
static const RegFileEntry *find_nameless(const struct snapshot *snap, const struct ghost *ghost)
{
	for (size_t i = 0; i < snap->remaps.n; i++) {
		const RemapFilePathEntry *remap = snap->remaps.v[i];
		const struct ofd *ofd;

		if (remap->remap_type != REMAP_TYPE__GHOST || remap->remap_id != ghost->id)
			continue;
		ofd = snapshot_find_file(snap, remap->orig_id);
		if (ofd && ofd->owner && ofd->entry->reg && never_had_name(ofd->entry->reg))
			return ofd->entry->reg;
	}
	return NULL;
}

static int set_attributes_by_fd(const GhostFileEntry *entry, int fd, const char *name,
				struct err *err)
{
	if (fchown(fd, entry->uid, entry->gid))
		return err_sys(err, "chown '%s'", name);
	if (fchmod(fd, entry->mode & 07777))
		return err_sys(err, "chmod '%s'", name);
	if (!entry->atim || !entry->mtim)
		return 0;
	const struct timespec times[2] = { to_timespec(entry->atim), to_timespec(entry->mtim) };
	return futimens(fd, times) ? err_sys(err, "set times of '%s'", name) : 0;
}

/*
 * Makes it without a name, as it was: such a one can still be given one with linkat(2), which a file
 * that was deleted cannot. 1; 0: this file system makes none; or -errno.
 */
static int make_nameless(struct snapshot *snap, struct ghost *ghost, const RegFileEntry *reg,
			 int images_fd, const struct rootdir *root, int service_fd, struct err *err)
{
	const char *dir = dirname(arena_strdup(&snap->arena, reg->name));
	int flags = (int)reg->flags & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_NOATIME);
	_cleanup_close_ int fd = rootdir_open(root, dir, flags | O_TMPFILE, 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
		return 0;
	if (fd < 0)
		return err_sys(err, "make a file without a name in '%s'", dir);
	int ret = image_copy_ghost(images_fd, ghost->id, fd, err);
	if (ret == 0)
		ret = set_attributes_by_fd(ghost->entry, fd, reg->name, err);
	if (ret < 0)
		return ret;
	ghost->fd = fcntl(fd, F_DUPFD_CLOEXEC, service_fd);
	return ghost->fd < 0 ? err_sys(err, "duplicate a descriptor") : 1;
}

static int set_attributes(const struct ghost *ghost, const struct place *place, struct err *err)
{
	const GhostFileEntry *entry = ghost->entry;

	if (fchownat(place->dir, place->name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW))
		return err_sys(err, "chown '%s'", place->path);
	if (S_ISLNK(entry->mode))
		return 0;
	if (fchmodat(place->dir, place->name, entry->mode & 07777, 0))
		return err_sys(err, "chmod '%s'", place->path);
	if (!entry->atim || !entry->mtim)
		return 0;
	const struct timespec times[2] = { to_timespec(entry->atim), to_timespec(entry->mtim) };
	return utimensat(place->dir, place->name, times, 0) ?
		       err_sys(err, "set times of '%s'", place->path) :
		       0;
}

/* 1: it was missing; 0 or -errno */
static int make_parent(const struct rootdir *root, const char *path, struct err *err)
{
	_cleanup_(place_fini) struct place place = { .dir = -1 };
	int ret = find_place(root, path, &place, err);

	if (ret < 0)
		return ret;
	if (mkdirat(place.dir, place.name, 0700) == 0)
		return 1;
	return errno == EEXIST ? 0 : err_sys(err, "make directory '%s'", path);
}

/* The directory that the file was in may be gone too: it is made for the time being. */
static int make_parents(struct snapshot *snap, const char *path, const struct rootdir *root,
			struct err *err)
{
	char *copy = arena_strdup(&snap->arena, path);

	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		int ret = make_parent(root, copy, err);

		if (ret < 0)
			return ret;
		if (ret)
			*array_push(&snap->arena, &snap->made_dirs) =
				arena_strdup(&snap->arena, copy);
		*slash = '/';
	}
	return 0;
}

static const char *original_name(const struct snapshot *snap, const struct ghost *ghost)
{
	for (size_t i = 0; i < snap->remaps.n; i++) {
		const RemapFilePathEntry *remap = snap->remaps.v[i];
		const struct ofd *ofd;

		if (remap->remap_type != REMAP_TYPE__GHOST || remap->remap_id != ghost->id)
			continue;
		ofd = snapshot_find_file(snap, remap->orig_id);
		if (ofd && ofd->entry->reg)
			return ofd->entry->reg->name;
	}
	return NULL;
}

/* Removed under its own name if that is free, so that /proc shows it as it was. */
static int remove_ghost(const struct snapshot *snap, const struct ghost *ghost,
			const struct place *place, struct err *err)
{
	const char *original = original_name(snap, ghost), *slash = strrchr(original, '/');
	const char *name = slash ? slash + 1 : original;

	if (syscall(SYS_renameat2, place->dir, place->name, place->dir, name, RENAME_NOREPLACE))
		name = place->name;
	if (unlinkat(place->dir, name, S_ISDIR(ghost->entry->mode) ? AT_REMOVEDIR : 0) &&
	    errno != ENOENT)
		return err_sys(err, "remove '%s'", name == place->name ? place->path : original);
	return 0;
}

/* What is left of it when making it failed. */
static int remove_left(const struct snapshot *snap, struct ghost *ghost, const struct rootdir *root,
		       struct err *err)
{
	_cleanup_(place_fini) struct place place = { .dir = -1 };
	int ret = find_place(root, take_ptr(ghost->path), &place, err);

	return ret == 0 ? remove_ghost(snap, ghost, &place, err) : ret;
}

static void remove_parents(struct snapshot *snap, const struct rootdir *root)
{
	for (; snap->made_dirs.n > 0; snap->made_dirs.n--) {
		_cleanup_(place_fini) struct place place = { .dir = -1 };

		if (find_place(root, snap->made_dirs.v[snap->made_dirs.n - 1], &place, NULL) == 0)
			unlinkat(place.dir, place.name, AT_REMOVEDIR);
	}
}

/*
 * Makes it by a name that it has only until there is a descriptor: a crib that is killed leaves no
 * file behind, and whoever runs on after the restore finds as many links as before.
 */
static int make_named(struct snapshot *snap, struct ghost *ghost, const char *name, int images_fd,
		      const struct rootdir *root, int service_fd, struct err *err)
{
	const char *path = arena_printf(&snap->arena, "%s.cr.%x.ghost", name, ghost->id);
	_cleanup_(place_fini) struct place place = { .dir = -1 };
	int ret = find_place(root, path, &place, err);

	if (ret < 0)
		return ret;
	/* left by a restore that was killed at this instant */
	unlinkat(place.dir, place.name, S_ISDIR(ghost->entry->mode) ? AT_REMOVEDIR : 0);
	ghost->path = path;
	ret = make_node(ghost, &place, images_fd, err);
	if (ret == 0)
		ret = set_attributes(ghost, &place, err);
	if (ret < 0)
		return ret;
	_cleanup_close_ int fd = openat(place.dir, place.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "open '%s'", path);
	ghost->fd = fcntl(fd, F_DUPFD_CLOEXEC, service_fd);
	if (ghost->fd < 0)
		return err_sys(err, "duplicate a descriptor");
	ghost->path = NULL;
	return remove_ghost(snap, ghost, &place, err);
}

int ghost_prepare(struct snapshot *snap, int images_fd, const struct rootdir *root, int service_fd,
		  struct err *err)
{
	array_each(struct ghost, ghost, &snap->ghosts) {
		const char *name = original_name(snap, ghost);

		if (!name)
			continue;
		int ret = make_parents(snap, name, root, err);
		const RegFileEntry *nameless = find_nameless(snap, ghost);
		if (ret == 0 && nameless)
			ret = make_nameless(snap, ghost, nameless, images_fd, root, service_fd,
					    err);
		if (ret == 0)
			ret = make_named(snap, ghost, name, images_fd, root, service_fd, err);
		if (ret < 0)
			return ret;
		remove_parents(snap, root);
	}
	return 0;
}

int ghost_cleanup(struct snapshot *snap, const struct rootdir *root, bool restored, struct err *err)
{
	int ret = 0;

	array_each(struct ghost, ghost, &snap->ghosts) {
		if (ghost->fd >= 0)
			close(take_fd(&ghost->fd));
		int failed = ghost->path ? remove_left(snap, ghost, root, ret ? NULL : err) : 0;

		ret = ret ? ret : failed;
	}
	for (size_t i = 0; restored && i < snap->remaps.n; i++) {
		const RemapFilePathEntry *remap = snap->remaps.v[i];
		const char *path = stand_in_path(snap, remap);
		_cleanup_(place_fini) struct place place = { .dir = -1 };

		if (remap->remap_type == REMAP_TYPE__LINKED && path &&
		    find_place(root, path, &place, NULL) == 0)
			unlinkat(place.dir, place.name, 0);
	}
	remove_parents(snap, root);
	return ret;
}
