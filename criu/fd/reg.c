// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regular files, directories, symbolic links (O_PATH) and the memory devices: whatever is opened
 * again by its path. Deleted ones are in ghost.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "fd/buildid.h"
#include "fd/ghost.h"
#include "fd/kinds.h"
#include "fd/memfd.h"
#include "fd/reg.h"
#include "fd/reopen.h"
#include "fd/rootdir.h"

#ifndef SECRETMEM_MAGIC
#define SECRETMEM_MAGIC 0x5345434d /* Linux 5.14 */
#endif
#define MQUEUE_MAGIC 0x19800202 /* ipc/mqueue.c, and FILENT_SIZE there: */
enum { MQUEUE_SIZE = 80 };

/* Device numbers as records and images have them: major << 20 | minor. */
enum { MEM_MAJOR = 1 };

static const struct memory_device {
	uint64_t rdev;
	const char *path; /* where it is on every machine */
} memory_devices[] = {
	{ MEM_MAJOR << 20 | 3, "/dev/null" },    { MEM_MAJOR << 20 | 5, "/dev/zero" },
	{ MEM_MAJOR << 20 | 7, "/dev/full" },    { MEM_MAJOR << 20 | 8, "/dev/random" },
	{ MEM_MAJOR << 20 | 9, "/dev/urandom" },
};

/* NULL: not one of them. */
static const char *memory_device_path(uint64_t rdev)
{
	for (size_t i = 0; i < ARRAY_SIZE(memory_devices); i++)
		if (memory_devices[i].rdev == rdev)
			return memory_devices[i].path;
	return NULL;
}

static uint64_t device_number(dev_t dev)
{
	return (uint64_t)major(dev) << 20 | minor(dev);
}

static bool is_device(mode_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

static bool reg_match(const struct rec_fd *rec)
{
	if (!rec->path_len || rec->path[0] != '/')
		return false;
	if (rec->flags & O_PATH)
		return true;
	return S_ISREG(rec->mode) || S_ISDIR(rec->mode) ||
	       (S_ISCHR(rec->mode) && memory_device_path(rec->rdev));
}

static void external_id(const struct rec_fd *rec, char *buf, size_t size)
{
	snprintf(buf, size, "%x:%llx", (unsigned int)rec->mnt_id, (unsigned long long)rec->ino);
}

/* It cannot be found by its path from here, and that was expected. */
static bool is_external(const struct opts *opts, const struct rec_fd *rec)
{
	char id[40];

	if (!(rec->file_flags & REC_FILE_UNREACHABLE))
		return false;
	external_id(rec, id, sizeof(id));
	return opts_find_external(opts, "file", id);
}

/*
 * Files of file systems that are the kernel's own; NULL: any other. What may be on a file system
 * with a server, which may stand still, is not asked: all queues are as long as their text.
 */
static const char *find_strange(const struct rec_fd *rec)
{
	bool secret = rec_path_is(rec, "/secretmem") && (rec->file_flags & REC_FILE_DELETED);
	bool queue = rec->size == MQUEUE_SIZE &&
		     (rec->file_flags & (REC_FILE_UNREACHABLE | REC_FILE_DELETED));
	struct statfs fs;
	char path[64];

	if (!secret && !queue)
		return NULL;
	snprintf(path, sizeof(path), "/proc/%u/fd/%u", rec->hdr.pid, rec->fd);
	if (statfs(path, &fs))
		return NULL;
	switch ((uint32_t)fs.f_type) {
	case MQUEUE_MAGIC: return "a POSIX message queue";
	case SECRETMEM_MAGIC: return "secret memory (memfd_secret)";
	default: return NULL;
	}
}

int reg_check(const struct fd_extract *x, const struct ofd *ofd, struct err *err)
{
	const struct rec_fd *rec = ofd->rec;

	if (is_external(x->opts, rec))
		return 0;
	const char *strange = find_strange(rec);
	if (strange)
		return err_set(err, -ENOTSUP,
			       "'%.*s' is %s: not supported; the task has to close it before a "
			       "dump",
			       (int)rec->path_len, rec->path, strange);
	if (rec->file_flags & REC_FILE_UNREACHABLE)
		return err_set(err, -ENOTSUP,
			       "'%.*s' is not below crib's root directory: run crib "
			       "where it is, or use --external file[%x:%llx] and give one to "
			       "restore with --inherit-fd",
			       (int)rec->path_len, rec->path, (unsigned int)rec->mnt_id,
			       (unsigned long long)rec->ino);
	return ghost_check(x, ofd, err);
}

static RegFileEntry *reg_entry_new(struct snapshot *snap, const struct rec_fd *rec, uint32_t id)
{
	RegFileEntry *reg = SNAP_MSG(snap, RegFileEntry, reg_file_entry);

	reg->id = id;
	reg->flags = rec->flags;
	reg->pos = rec->pos;
	reg->name = arena_strndup(&snap->arena, rec->path, rec->path_len);
	/* no mnt_id: it would name an entry of a mount namespace's image, which there is not */
	return reg;
}

/* The duplicate may be none, for writing only, or O_PATH; what cannot be read has no build id. */
static void fill_build_id(struct snapshot *snap, RegFileEntry *reg, const struct rec_fd *rec,
			  int fd)
{
	int access = rec->flags & O_ACCMODE;

	if (fd >= 0 && !(rec->flags & O_PATH) && access != O_WRONLY) {
		buildid_extract(snap, reg, fd);
		return;
	}
	_cleanup_close_ int copy = fd >= 0 ? fd_reopen(fd, O_RDONLY | O_NONBLOCK, NULL) :
					     open(reg->name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (copy >= 0)
		buildid_extract(snap, reg, copy);
}

/* Size, mode and number of a device, by which a restore sees whether it is another file now. */
static void fill_identity(RegFileEntry *reg, const struct stat *st)
{
	reg->has_mode = true;
	reg->mode = st->st_mode;
	if (S_ISREG(st->st_mode)) {
		reg->has_size = true;
		reg->size = (uint64_t)st->st_size;
	}
	if (is_device(st->st_mode)) {
		reg->has_rdev = true;
		reg->rdev = device_number(st->st_rdev);
	}
}

/* The name has to lead to the file again, which @st is of. */
static int check_path(const RegFileEntry *reg, const struct stat *st, struct err *err)
{
	int nofollow = (reg->flags & O_NOFOLLOW) ? AT_SYMLINK_NOFOLLOW : 0;
	struct stat now;

	if (fstatat(AT_FDCWD, reg->name, &now, nofollow))
		return err_sys(err, "stat '%s'", reg->name);
	if (now.st_dev == st->st_dev && now.st_ino == st->st_ino)
		return 0;
	if (is_device(st->st_mode) && memory_device_path(device_number(st->st_rdev)))
		return err_set(err, -ENOTSUP,
			       "device '%s' was mounted over or replaced: use "
			       "--evasive-devices to take another one of its number",
			       reg->name);
	return err_set(err, -ENOTSUP, "'%s' is another file now: it was mounted over or replaced",
		       reg->name);
}

static int stat_by_path_or_fd(const RegFileEntry *reg, const struct rec_fd *rec, int fd,
			      struct stat *st, struct err *err)
{
	int flags = (reg->flags & O_NOFOLLOW) ? AT_SYMLINK_NOFOLLOW : 0;

	if (fd >= 0)
		return fstat(fd, st) ? err_sys(err, "stat '%s'", reg->name) : 0;
	if (fstatat(AT_FDCWD, reg->name, st, flags))
		return err_sys(err, "stat '%s'", reg->name);
	if (rec->ino && st->st_ino != rec->ino)
		return err_set(err, -ENOTSUP,
			       "'%s' is another file now: it was mounted over or "
			       "replaced",
			       reg->name);
	return 0;
}

/* --evasive-devices: a name under which the device can be opened, where its own is no longer one. */
static bool evade(const struct fd_extract *x, RegFileEntry *reg, const struct stat *st)
{
	const char *paths[] = { reg->name, memory_device_path(device_number(st->st_rdev)) };
	struct stat now;

	for (size_t i = 0; x->opts->evasive_devices && is_device(st->st_mode) && i < 2; i++) {
		if (!paths[i] || stat(paths[i], &now) || now.st_rdev != st->st_rdev ||
		    (now.st_mode & S_IFMT) != (st->st_mode & S_IFMT))
			continue;
		reg->name = (char *)paths[i];
		reg->mode = now.st_mode;
		return true;
	}
	return false;
}

/* The entry of one file, with what of it has to travel if it has no name any more. */
static int extract_reg(struct fd_extract *x, struct ofd *ofd, const struct rec_fd *rec, int fd,
		       struct err *err)
{
	RegFileEntry *reg = reg_entry_new(x->snap, rec, ofd->entry->id);
	struct stat st;
	int ret = stat_by_path_or_fd(reg, rec, fd, &st, err);

	if (ret < 0)
		return ret;
	fill_identity(reg, &st);
	reg->fown = fd_fown_extract(x->snap, rec->flags & O_PATH ? -1 : fd);
	ofd->entry->reg = reg;
	if (is_external(x->opts, rec)) {
		char id[40];

		external_id(rec, id, sizeof(id));
		reg->name = arena_printf(&x->snap->arena, "file[%s]", id);
		reg->has_ext = reg->ext = true;
		return 0;
	}
	if (evade(x, reg, &st))
		return 0;
	if (rec->file_flags & REC_FILE_DELETED)
		return ghost_extract(x, reg, &st, fd, err);
	ret = fd >= 0 ? check_path(reg, &st, err) : 0;
	if (ret < 0)
		return ret;
	if (S_ISREG(st.st_mode) && st.st_size && x->opts->file_validation == OPTS_VALIDATE_BUILDID)
		fill_build_id(x->snap, reg, rec, fd);
	return 0;
}

static int reg_extract(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	return extract_reg(x, ofd, ofd->rec, fd, err);
}

/* An entry that is in no table. */
static struct ofd *add_entry(struct snapshot *snap, const struct fd_kind *kind)
{
	struct ofd *ofd = snapshot_add_file(snap);

	ofd->entry = SNAP_MSG(snap, FileEntry, file_entry);
	ofd->entry->id = snap->next_file_id++;
	ofd->entry->type = kind->type;
	ofd->kind = kind;
	return ofd;
}

int reg_extract_new(struct fd_extract *x, const struct rec_fd *rec, int fd, struct ofd **ret_ofd,
		    struct err *err)
{
	*ret_ofd = add_entry(x->snap, &fd_kind_reg);
	return extract_reg(x, *ret_ofd, rec, fd, err);
}

static int extract_path_memfd(struct fd_extract *x, const struct rec_fd *rec, int fd,
			      struct ofd **ret_ofd, struct err *err)
{
	*ret_ofd = add_entry(x->snap, &fd_kind_memfd);
	return memfd_extract_path(x, *ret_ofd, rec, fd, err);
}

static uint64_t hash_text(const char *text, uint32_t len, uint64_t seed)
{
	uint64_t hash = seed ^ UINT64_C(0xcbf29ce484222325);

	for (uint32_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
	return hash;
}

int fd_extract_path(struct fd_extract *x, const struct rec_fd *rec, int fd, struct ofd **ret_ofd,
		    struct err *err)
{
	struct hashmap *paths = &fd_shared(x)->paths;
	uint64_t key = hash_text(rec->path, rec->path_len, rec->flags);
	struct ofd *ofd = hashmap_get(paths, key, rec->dev ^ rec->ino);

	if (!ofd) {
		int ret = memfd_is_path(rec) ? extract_path_memfd(x, rec, fd, &ofd, err) :
					       reg_extract_new(x, rec, fd, &ofd, err);

		if (ret < 0)
			return ret;
		hashmap_put(paths, key, rec->dev ^ rec->ino, ofd);
	}
	*ret_ofd = ofd;
	return 0;
}

/* ---- Restore ---- */

/* A path without its first slash, as criu has it; external files have a name like "file[1f:2a]". */
static bool reg_resource(const struct snapshot *snap, const struct ofd *ofd, char *buf, size_t size)
{
	const char *name = ofd->entry->reg->name;

	return snprintf(buf, size, "%s", name + strspn(name, "/")) < (int)size;
}

static int reg_adapt(struct snapshot *snap, const struct opts *opts, struct err *err)
{
	for (size_t i = 0; i < snap->files.n; i++) {
		const struct ofd *ofd = snap->files.v[i];
		const RegFileEntry *reg = ofd->entry->reg;

		if (reg && reg->ext && ofd->inherited_fd < 0)
			return err_set(err, -EINVAL,
				       "'%s' was dumped as an external file: give one "
				       "with --inherit-fd fd[N]:%s",
				       reg->name, reg->name);
	}
	return 0;
}

/* Of what was opened without the right to read, by another description. */
static int check_build_id(const RegFileEntry *reg, int flags, int fd, struct err *err)
{
	bool readable = !(flags & O_PATH) && (flags & O_ACCMODE) != O_WRONLY;
	_cleanup_close_ int copy = readable ? -1 : fd_reopen(fd, O_RDONLY | O_NONBLOCK, err);

	if (!readable && copy < 0)
		return err_wrap(err, copy, "read the build id of '%s'", reg->name);
	if (!buildid_is_same(reg, readable ? fd : copy))
		return err_set(err, -ESTALE,
			       "'%s' is another program or library than when it was "
			       "dumped: its build id has changed; put the old file back, or use "
			       "--file-validation filesize",
			       reg->name);
	return 0;
}

static int check_type(const RegFileEntry *reg, const struct stat *st, struct err *err)
{
	if (!reg->has_mode || (st->st_mode & S_IFMT) == (reg->mode & S_IFMT))
		return 0;
	return err_set(err, -ESTALE,
		       "'%s' is of another type than when it was dumped: mode %o, "
		       "was %o; put the old file back",
		       reg->name, st->st_mode, reg->mode);
}

static int check_same_file(const struct fd_opener *opener, const RegFileEntry *reg, int flags,
			   int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st))
		return err_sys(err, "stat '%s'", reg->name);
	int ret = check_type(reg, &st, err);
	if (ret < 0)
		return ret;
	if (reg->has_rdev && is_device(st.st_mode) && device_number(st.st_rdev) != reg->rdev)
		return err_set(err, -ESTALE,
			       "'%s' is another device than when it was dumped: "
			       "%u:%u; put the old one back, or use --evasive-devices",
			       reg->name, major(st.st_rdev), minor(st.st_rdev));
	if (reg->has_size && S_ISREG(st.st_mode) && (uint64_t)st.st_size != reg->size)
		return err_set(err, -ESTALE,
			       "'%s' has changed: %llu bytes, %llu when it was dumped; "
			       "put the old file back",
			       reg->name, (unsigned long long)st.st_size,
			       (unsigned long long)reg->size);
	if (reg->has_mode && !opener->opts->skip_file_rwx_check &&
	    (st.st_mode & 0777) != (reg->mode & 0777))
		return err_set(err, -ESTALE,
			       "'%s' has mode %o, %o when it was dumped; change it "
			       "back or use --skip-file-rwx-check",
			       reg->name, st.st_mode & 07777, reg->mode & 07777);
	if (reg->n_build_id && opener->opts->file_validation == OPTS_VALIDATE_BUILDID)
		return check_build_id(reg, flags, fd, err);
	return 0;
}

/* Looks @path up below the restore's root; errno says why when it fails. */
static int open_below_root(const struct fd_opener *opener, const char *path, int flags)
{
	const struct rootdir root = rootdir_of(opener->opts, opener->root_fd);

	return rootdir_open(&root, path, flags, 0);
}

/* A FIFO in the place of a file that is only read or written would have crib wait in open(2). */
static bool may_block(const RegFileEntry *reg, int flags)
{
	return reg->has_mode && S_ISREG(reg->mode) && !(flags & (O_PATH | O_NONBLOCK)) &&
	       (flags & O_ACCMODE) != O_RDWR;
}

/* errno says why when it fails. */
static int open_by_name(const struct fd_opener *opener, const RegFileEntry *reg, int flags)
{
	if (!may_block(reg, flags))
		return open_below_root(opener, reg->name, flags);
	int fd = open_below_root(opener, reg->name, flags | O_NONBLOCK);
	if (fd < 0 && errno == EWOULDBLOCK) /* a regular file, on which somebody has a lease */
		return open_below_root(opener, reg->name, flags);
	if (fd >= 0)
		fcntl(fd, F_SETFL, flags);
	return fd;
}

/* @failed: errno of opening it. */
static int describe_open_failure(const struct fd_opener *opener, const RegFileEntry *reg,
				 int failed, struct err *err)
{
	if (failed == ENOENT || failed == ENOTDIR)
		return err_set(err, -failed,
			       "'%s' is gone; put it back, or give another file with "
			       "--inherit-fd fd[N]:%s",
			       reg->name, reg->name + strspn(reg->name, "/"));
	_cleanup_close_ int fd = open_below_root(opener, reg->name, O_PATH);
	struct stat st;
	int ret = fd >= 0 && fstat(fd, &st) == 0 ? check_type(reg, &st, err) : 0;
	return ret < 0 ? ret : err_ret(err, -failed, "open '%s'", reg->name);
}

/* --evasive-devices: opens the device by its usual name, where its own does not lead to it. */
static bool evade_open(const struct fd_opener *opener, const RegFileEntry *reg, int flags, int *fd)
{
	const char *path = reg->has_rdev ? memory_device_path(reg->rdev) : NULL;
	struct stat st;

	if (!opener->opts->evasive_devices || !path)
		return false;
	if (*fd >= 0 && fstat(*fd, &st) == 0 && is_device(st.st_mode) &&
	    device_number(st.st_rdev) == reg->rdev)
		return false;
	int other = open_below_root(opener, path, flags);
	if (other < 0)
		return false;
	cleanup_close(fd);
	*fd = other;
	return true;
}

/* Of what a mapping, cwd or exe needs position and description are nobody else's. */
static int open_inherited_path(const struct ofd *ofd, int flags, int *ret_fd, struct err *err)
{
	int fd = fd_reopen(ofd->inherited_fd, flags, err);

	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

int fd_open_path(struct fd_opener *opener, const struct ofd *ofd, int flags, int *ret_fd,
		 struct err *err)
{
	const RegFileEntry *reg = ofd->entry->reg;

	if (ofd->inherited_fd >= 0)
		return open_inherited_path(ofd, flags, ret_fd, err);
	if (ofd->entry->memfd)
		return memfd_open_path(ofd, flags, ret_fd, err);
	if (!reg)
		return err_set(err, -EBADMSG, "file %u of the image is not a regular one",
			       ofd->entry->id);
	_cleanup_close_ int fd = ghost_open(opener, reg, flags, err);
	if (fd == -ENOENT)
		fd = open_by_name(opener, reg, flags);
	else if (fd < 0)
		return fd;
	int failed = errno;
	bool evaded = evade_open(opener, reg, flags, &fd);
	if (fd < 0)
		return describe_open_failure(opener, reg, failed, err);
	int ret = evaded ? 0 : check_same_file(opener, reg, flags, fd, err);
	if (ret == 0)
		*ret_fd = take_fd(&fd);
	return ret;
}

/* What of the flags of an open description open(2) may be given again. */
static int reopen_flags(int flags)
{
	flags &= ~(O_CREAT | O_EXCL | O_TRUNC | (int)kernel_o_largefile);
	if (flags & O_PATH)
		return flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW);
	if ((flags & O_TMPFILE) == O_TMPFILE) /* the file is there, as a ghost */
		flags &= ~O_TMPFILE;
	return flags | O_NOCTTY;
}

static int reg_open(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err)
{
	const RegFileEntry *reg = ofd->entry->reg;
	int flags = reopen_flags((int)reg->flags);
	_cleanup_close_ int fd = -1;

	if (ofd->inherited_fd >= 0)
		return fd_open_inherited(ofd, reg->flags, ret_fd, err);
	int ret = fd_open_path(opener, ofd, flags, &fd, err);
	if (ret < 0)
		return ret;
	if (!(flags & O_PATH) && reg->pos && reg->pos != ~0ULL &&
	    lseek(fd, (off_t)reg->pos, SEEK_SET) < 0 && errno != ESPIPE)
		return err_sys(err, "seek to %llu in '%s'", (unsigned long long)reg->pos,
			       reg->name);
	if (!(flags & O_PATH)) {
		ret = fd_fown_apply(reg->fown, fd, err);
		if (ret < 0)
			return err_wrap(err, ret, "'%s'", reg->name);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

const struct fd_kind fd_kind_reg = {
	.name = "reg",
	.type = FD_TYPES__REG,
	.match = reg_match,
	.check = reg_check,
	.extract = reg_extract,
	.resource = reg_resource,
	.adapt = reg_adapt,
	.open = reg_open,
};
