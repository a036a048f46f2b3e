// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of an image directory that is being written, see store.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "image/checksums.h"
#include "image/store.h"
#include "image/sync.h"

#define TMP_PREFIX ".crib-"
enum { TMP_RANDOM = 6, TMP_ATTEMPTS = 100 };

static bool is_tmp_name(const char *name)
{
	return strncmp(name, TMP_PREFIX, strlen(TMP_PREFIX)) == 0 &&
	       strlen(name) == strlen(TMP_PREFIX) + TMP_RANDOM;
}

/* Removes the folder @name, which holds plain files only, and what is in it. */
static void remove_tmp(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir)))
		unlinkat(fd, entry->d_name, 0);
	unlinkat(dirfd, name, AT_REMOVEDIR);
}

/*
 * The folders of dumps that are dead are removed: their lock went with them. A live one means that
 * somebody else is writing into this directory.
 */
static int sweep(struct image_dir *image, struct err *err)
{
	_cleanup_close_ int fd = openat(image->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return err_sys(err, "read images directory '%s'", image->path);
	take_fd(&fd);
	while ((entry = readdir(dir))) {
		if (!is_tmp_name(entry->d_name) || strcmp(entry->d_name, image->tmpname) == 0)
			continue;
		_cleanup_close_ int other = openat(image->dirfd, entry->d_name,
						   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (other < 0)
			continue;
		if (flock(other, LOCK_EX | LOCK_NB) == 0)
			remove_tmp(image->dirfd, entry->d_name);
		else if (errno == EWOULDBLOCK)
			return err_set(err, -EBUSY,
				       "images directory '%s' is in use by another "
				       "dump; give another one with -D",
				       image->path);
	}
	return 0;
}

static void random_name(char name[16])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz012345";
	unsigned char bytes[TMP_RANDOM] = { 0 };

	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) < 0)
		memcpy(bytes, &(pid_t){ getpid() }, sizeof(pid_t));
	memcpy(name, TMP_PREFIX, sizeof(TMP_PREFIX));
	for (int i = 0; i < TMP_RANDOM; i++)
		name[strlen(TMP_PREFIX) + (size_t)i] = letters[bytes[i] % (sizeof(letters) - 1)];
	name[strlen(TMP_PREFIX) + TMP_RANDOM] = '\0';
}

/*
 * Makes the folder and locks it. Somebody who sweeps may have taken it for a dead one's before it
 * was locked: then it has no name any more. Where the file system has no locks, folders of dead
 * dumps stay.
 */
static int make_tmp(struct image_dir *dir, struct err *err)
{
	for (int i = 0; i < TMP_ATTEMPTS; i++) {
		struct stat st;

		random_name(dir->tmpname);
		if (mkdirat(dir->dirfd, dir->tmpname, 0700) < 0) {
			if (errno == EEXIST)
				continue;
			return err_sys(err,
				       "images directory '%s' cannot be written to: mkdir '%s'",
				       dir->path, dir->tmpname);
		}
		dir->tmpfd = openat(dir->dirfd, dir->tmpname, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir->tmpfd >= 0) {
			flock(dir->tmpfd, LOCK_EX | LOCK_NB);
			if (fstat(dir->tmpfd, &st) == 0 && st.st_nlink > 0)
				return 0;
			close(take_fd(&dir->tmpfd));
		}
	}
	return err_set(err, -EEXIST, "images directory '%s': no temporary folder can be made",
		       dir->path);
}

static int open_dir(struct image_dir *dir, struct err *err)
{
	dir->dirfd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->dirfd >= 0)
		return 0;
	if (errno == ENOENT)
		return err_set(err, -ENOENT,
			       "images directory '%s' does not exist; make it or give "
			       "another one with -D",
			       dir->path);
	if (errno == ENOTDIR)
		return err_set(err, -ENOTDIR, "images directory '%s' is not a directory",
			       dir->path);
	return err_sys(err, "open images directory '%s'", dir->path);
}

int image_create(struct image_dir *dir, const char *path, struct err *err)
{
	*dir = (struct image_dir){ .dirfd = -1, .tmpfd = -1, .path = xstrdup(path) };
	pthread_mutex_init(&dir->lock, NULL);
	writeback_init(&dir->writeback);
	int ret = open_dir(dir, err);
	if (ret == 0)
		ret = make_tmp(dir, err);
	if (ret == 0)
		ret = sweep(dir, err);
	if (ret < 0)
		image_fini(dir);
	return ret;
}

static int rename_file(struct image_dir *dir, const char *name, struct err *err)
{
	if (renameat(dir->tmpfd, name, dir->dirfd, name) < 0)
		return err_sys(err, "rename image file '%s/%s' into place", dir->path, name);
	return 0;
}

/* The folder gets its names: first the list of them, so that it can be undone; last the inventory. */
static int rename_files(struct image_dir *dir, const char *checksums, struct err *err)
{
	char inventory[IMAGE_NAME_MAX];

	image_name(inventory, IMG_INVENTORY, 0);
	if (unlinkat(dir->dirfd, inventory, 0) < 0 && errno != ENOENT)
		return err_sys(err, "remove '%s/%s' of an older dump", dir->path, inventory);
	dir->renaming = true;
	int ret = rename_file(dir, checksums, err);
	if (ret == 0 && dir->undecided)
		*dir->undecided = 1;
	array_each(struct image_file, file, &dir->files) {
		if (ret == 0 && strcmp(file->name, inventory) && strcmp(file->name, checksums))
			ret = rename_file(dir, file->name, err);
	}
	if (ret == 0)
		ret = rename_file(dir, inventory, err);
	if (ret == 0 && dir->sync == IMAGE_SYNC_FULL && fsync(dir->dirfd) < 0)
		ret = err_sys(err, "fsync images directory '%s'", dir->path);
	return ret;
}

static bool has_file(const struct image_dir *dir, const char *name)
{
	array_each(struct image_file, file, &dir->files)
		if (strcmp(file->name, name) == 0)
			return true;
	return false;
}

static bool is_image_name(const char *name)
{
	uint64_t id;

	for (int kind = 0; kind < IMG_KIND_MAX; kind++)
		if (image_name_is(name, kind, &id))
			return true;
	return false;
}

/* Files of the image that stood here before, as its list has them, and that this one has not. */
static void remove_stale(struct image_dir *dir, const struct checksums *older)
{
	for (size_t i = 0; i < older->entry->n_file; i++) {
		const char *name = older->entry->file[i]->name;

		if (is_image_name(name) && !has_file(dir, name))
			unlinkat(dir->dirfd, name, 0);
	}
}

int image_commit(struct image_dir *dir, struct err *err)
{
	struct checksums older;
	char checksums[IMAGE_NAME_MAX];

	image_name(checksums, IMG_CHECKSUMS, 0);
	writeback_end(&dir->writeback, false);
	bool had_older = checksums_load(dir->dirfd, &dir->arena, &older, NULL) == 1;
	int ret = dir->sync == IMAGE_SYNC_FULL ? image_sync_parts(dir, err) : 0;
	if (ret == 0)
		ret = checksums_save(dir, err);
	if (ret == 0 && dir->sync == IMAGE_SYNC_FULL)
		ret = image_sync_last(dir, checksums, err);
	if (ret == 0)
		ret = rename_files(dir, checksums, err);
	if (ret < 0)
		return ret;
	dir->committed = true;
	unlinkat(dir->dirfd, dir->tmpname, AT_REMOVEDIR);
	if (had_older)
		remove_stale(dir, &older);
	return 0;
}

void image_settle(struct image_dir *dir)
{
	if (dir->undecided)
		*dir->undecided = 0;
	dir->undecided = NULL;
}

void image_abort(struct image_dir *dir)
{
	char inventory[IMAGE_NAME_MAX];

	if ((dir->committed && !dir->undecided) || dir->tmpfd < 0)
		return;
	writeback_end(&dir->writeback, true);
	if (dir->renaming) {
		image_name(inventory, IMG_INVENTORY, 0);
		unlinkat(dir->dirfd, inventory, 0);
		array_each(struct image_file, file, &dir->files)
			if (faccessat(dir->tmpfd, file->name, F_OK, 0) < 0)
				unlinkat(dir->dirfd, file->name, 0);
	}
	image_settle(dir);
	remove_tmp(dir->dirfd, dir->tmpname);
	close(take_fd(&dir->tmpfd));
}

void image_remove(const char *path)
{
	_cleanup_close_ int dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char inventory[IMAGE_NAME_MAX], checksums[IMAGE_NAME_MAX];
	struct arena arena = { 0 };
	struct checksums list;

	image_name(inventory, IMG_INVENTORY, 0);
	image_name(checksums, IMG_CHECKSUMS, 0);
	if (dirfd >= 0 && checksums_load(dirfd, &arena, &list, NULL) == 1) {
		unlinkat(dirfd, inventory, 0);
		for (size_t i = 0; i < list.entry->n_file; i++)
			if (is_image_name(list.entry->file[i]->name))
				unlinkat(dirfd, list.entry->file[i]->name, 0);
		unlinkat(dirfd, checksums, 0);
	}
	arena_fini(&arena);
}

void image_fini(struct image_dir *dir)
{
	if (!dir->path)
		return;
	image_abort(dir);
	cleanup_close(&dir->tmpfd);
	cleanup_close(&dir->dirfd);
	arena_fini(&dir->arena);
	pthread_mutex_destroy(&dir->lock);
	free(dir->path);
	*dir = (struct image_dir){ .dirfd = -1, .tmpfd = -1 };
}
