// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing one file of an image, with its checksum on the way, see store.h.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "image/crc32c.h"
#include "image/store.h"
#include "image/writeback.h"

enum {
	BUFFER_SIZE = 64 * 1024,
	/* So much is written before the disk is told to begin with it. */
	WRITEBACK_STEP = 16 * 1024 * 1024,
	/* The commit sees to what is less: telling the disk takes longer than writing it. */
	WRITEBACK_LEAST = 1024 * 1024,
	/* Room for less than that is found on the way. */
	RESERVE_LEAST = 1024 * 1024,
};

int image_part_failed(const struct image_part *part, const char *call, int ret, struct err *err)
{
	bool full = ret == -ENOSPC || ret == -EDQUOT;

	return err_set(err, ret, "%s image file '%s/%s': %s%s", call, part->dir->path, part->name,
		       strerror(-ret),
		       full ? "; make room there or give another directory with -D" : "");
}

int image_part_open(struct image_part *part, struct image_dir *dir, enum image_kind kind,
		    uint64_t id, struct err *err)
{
	const struct image_info *info = image_info(kind);

	*part = (struct image_part){ .dir = dir, .fd = -1 };
	image_name(part->name, kind, id);
	part->fd = openat(dir->tmpfd, part->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (part->fd < 0)
		return image_part_failed(part, "create", -errno, err);
	part->buf = xrealloc(NULL, BUFFER_SIZE);
	for (int i = 0; i < 2; i++) {
		if (!info->magic[i])
			continue;
		memcpy(part->buf + part->used, &info->magic[i], sizeof(info->magic[i]));
		part->used += sizeof(info->magic[i]);
	}
	part->size = part->used;
	return 0;
}

int image_part_reserve(struct image_part *part, uint64_t size, struct err *err)
{
	if (size < RESERVE_LEAST)
		return 0;
	if (fallocate(part->fd, FALLOC_FL_KEEP_SIZE, (off_t)part->size, (off_t)size) < 0 &&
	    (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
		return image_part_failed(part, "find room for", -errno, err);
	return 0;
}

/* Lets the disk begin, so that the commit has less to wait for. */
static void begin_writeback(struct image_part *part, uint64_t end)
{
	writeback_begin(&part->dir->writeback, part->fd, part->started, end - part->started);
	part->started = end;
}

static int write_out(struct image_part *part, const void *data, size_t size, struct err *err)
{
	int ret = io_write(part->fd, data, size);

	if (ret < 0)
		return image_part_failed(part, "write", ret, err);
	part->crc = crc32c(part->crc, data, size);
	return 0;
}

int image_part_flush(struct image_part *part, struct err *err)
{
	uint32_t used = part->used;

	part->used = 0;
	return used ? write_out(part, part->buf, used, err) : 0;
}

int image_part_write(struct image_part *part, const void *data, size_t size, struct err *err)
{
	if (size > BUFFER_SIZE - part->used) {
		int ret = image_part_flush(part, err);

		if (ret < 0)
			return ret;
	}
	part->size += size;
	if (size < BUFFER_SIZE) {
		memcpy(part->buf + part->used, data, size);
		part->used += (uint32_t)size;
		return 0;
	}
	int ret = write_out(part, data, size, err);

	if (ret == 0 && part->size - part->started >= WRITEBACK_STEP)
		begin_writeback(part, part->size);
	return ret;
}

void image_part_adopt(struct image_part *part, uint64_t size, uint32_t crc)
{
	assert(part->used == 0);
	part->crc = crc32c_combine(part->crc, crc, size);
	part->size += size;
	lseek(part->fd, (off_t)part->size, SEEK_SET);
	if (part->size - part->started >= WRITEBACK_STEP)
		begin_writeback(part, part->size);
}

/* Makes the part one of the image's files. */
static void register_file(struct image_part *part)
{
	struct image_dir *dir = part->dir;

	pthread_mutex_lock(&dir->lock);
	struct image_file *file = array_push(&dir->arena, &dir->files);

	memcpy(file->name, part->name, sizeof(file->name));
	file->size = part->size;
	file->crc = part->crc;
	pthread_mutex_unlock(&dir->lock);
}

static void release(struct image_part *part)
{
	if (part->fd >= 0)
		close(part->fd);
	part->fd = -1;
	free(take_ptr(part->buf));
}

int image_part_close(struct image_part *part, struct err *err)
{
	int ret = image_part_flush(part, err);

	if (ret < 0) {
		image_part_discard(part);
		return ret;
	}
	if (part->size - part->started >= WRITEBACK_LEAST)
		begin_writeback(part, part->size);
	register_file(part);
	release(part);
	return 0;
}

void image_part_discard(struct image_part *part)
{
	if (!part->dir || part->fd < 0)
		return;
	unlinkat(part->dir->tmpfd, part->name, 0);
	release(part);
}
