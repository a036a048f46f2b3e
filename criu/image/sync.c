// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bringing the parts of an image to the disk.
 *
 * fsync(2) of each file costs a journal commit and a cache flush of the disk each, and an image of
 * a hundred processes has seven hundred files (160 ms on a fast virtual disk, where one commit for
 * all took 5). syncfs(2) takes one, but waits for all that anybody else has written. So where one
 * journal orders everything (ext4, xfs), the data of each file is begun, then that of each is waited
 * for, and then one fsync(2) of a file that was made after that commits the metadata of all before
 * it. Other file systems get an fsync(2) for each file, memory needs none.
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
#include "image/sync.h"

enum durability {
	IN_MEMORY,
	ONE_JOURNAL,
	EACH_FILE,
};

/* ext4 can be without a journal; the driver shows the one of a mounted disk in sysfs. */
static bool ext4_has_journal(int fd)
{
	char path[64], target[256];
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	if (len <= 0)
		return false;
	target[len] = '\0';

	const char *slash = strrchr(target, '/');
	char journal[sizeof(target) + 40];
	snprintf(journal, sizeof(journal), "/sys/fs/ext4/%s/journal_task",
		 slash ? slash + 1 : target);
	return access(journal, F_OK) == 0;
}

static enum durability durability_of(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return EACH_FILE;
	switch ((unsigned int)fs.f_type) {
	case TMPFS_MAGIC:
	case RAMFS_MAGIC: return IN_MEMORY;
	case XFS_SUPER_MAGIC: return ONE_JOURNAL;
	case EXT4_SUPER_MAGIC: return ext4_has_journal(fd) ? ONE_JOURNAL : EACH_FILE;
	default: return EACH_FILE;
	}
}

static int open_part(const struct image_dir *dir, const char *name, struct err *err)
{
	int fd = openat(dir->tmpfd, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(err, "open image file '%s/%s'", dir->path, name) : fd;
}

static int fsync_part(const struct image_dir *dir, const char *name, struct err *err)
{
	_cleanup_close_ int fd = open_part(dir, name, err);

	if (fd < 0)
		return fd;
	return fsync(fd) < 0 ? err_sys(err, "fsync image file '%s/%s'", dir->path, name) : 0;
}

static int sync_data(const struct image_dir *dir, const char *name, unsigned int how,
		     struct err *err)
{
	_cleanup_close_ int fd = open_part(dir, name, err);

	if (fd < 0)
		return fd;
	if (sync_file_range(fd, 0, 0, how) < 0)
		return err_sys(err, "bring image file '%s/%s' to the disk", dir->path, name);
	return 0;
}

int image_sync_parts(struct image_dir *dir, struct err *err)
{
	enum durability durability = durability_of(dir->tmpfd);
	int ret = 0;

	if (durability == IN_MEMORY)
		return 0;
	array_each(struct image_file, file, &dir->files) {
		if (ret == 0 && durability == ONE_JOURNAL)
			ret = sync_data(dir, file->name, SYNC_FILE_RANGE_WRITE, err);
		else if (ret == 0)
			ret = fsync_part(dir, file->name, err);
	}
	array_each(struct image_file, file, &dir->files) {
		if (ret == 0 && durability == ONE_JOURNAL)
			ret = sync_data(dir, file->name,
					SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
						SYNC_FILE_RANGE_WAIT_AFTER,
					err);
	}
	return ret;
}

int image_sync_last(struct image_dir *dir, const char *last, struct err *err)
{
	return durability_of(dir->tmpfd) == IN_MEMORY ? 0 : fsync_part(dir, last, err);
}
