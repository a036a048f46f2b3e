// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deleted files in the image, see ghost.h and images/ghost-file.proto.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "image/frame.h"
#include "image/ghost.h"
#include "image/image.h"

enum { COPY_SIZE = 256 * 1024 };

/* What a copy works on. */
struct copy {
	const char *name; /* of the image file */
	int from, to;     /* to: -1 when a part is written */
	char *buf;        /* COPY_SIZE bytes, owned */
};

static void copy_fini(struct copy *copy)
{
	free(copy->buf);
}

/*
 * The next stretch of data at or behind @off. 1; 0: only a hole up to the end @size. Where the file
 * system knows nothing of holes, all is data.
 */
static int next_stretch(int fd, uint64_t off, uint64_t size, uint64_t *ret_start, uint64_t *ret_end)
{
	off_t start = lseek(fd, (off_t)off, SEEK_DATA);

	if (start < 0 && errno == ENXIO)
		return 0;
	off_t end = start < 0 ? -1 : lseek(fd, start, SEEK_HOLE);
	*ret_start = start < 0 ? off : (uint64_t)start;
	*ret_end = end < 0 || (uint64_t)end > size ? size : (uint64_t)end;
	return *ret_start < *ret_end;
}

static int save_stretch(struct copy *copy, struct image_part *part, uint64_t start, uint64_t end,
			struct err *err)
{
	GhostChunkEntry chunk = GHOST_CHUNK_ENTRY__INIT;

	chunk.off = start;
	chunk.len = end - start;
	int ret = frame_write(part, &chunk, err);
	while (ret == 0 && start < end) {
		size_t want = end - start < COPY_SIZE ? (size_t)(end - start) : COPY_SIZE;
		ssize_t n = io_pread(copy->from, copy->buf, want, (off_t)start);

		if (n < 0)
			return err_ret(err, (int)n, "read the deleted file for '%s'", copy->name);
		if ((size_t)n < want)
			return err_set(err, -EIO,
				       "the deleted file for '%s' became shorter while it "
				       "was read",
				       copy->name);
		ret = image_part_write(part, copy->buf, want, err);
		start += want;
	}
	return ret;
}

static int save_contents(const struct ghost *ghost, struct image_part *part, uint64_t size,
			 struct err *err)
{
	_cleanup_(copy_fini) struct copy copy = { part->name, ghost->fd, -1,
						  xrealloc(NULL, COPY_SIZE) };
	uint64_t start, end;

	for (uint64_t off = 0; off < size; off = end) {
		if (!next_stretch(ghost->fd, off, size, &start, &end))
			return 0;
		int ret = save_stretch(&copy, part, start, end, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int ghost_save(const struct ghost *ghost, struct image_dir *dir, struct err *err)
{
	GhostFileEntry entry = *ghost->entry;
	struct image_part part;
	struct stat st = { 0 };

	if (S_ISREG(entry.mode)) {
		if (fstat(ghost->fd, &st) < 0)
			return err_sys(err, "stat the deleted file %x", ghost->id);
		entry.has_chunks = entry.chunks = true;
		entry.has_size = true;
		entry.size = (uint64_t)st.st_size;
	}
	int ret = image_part_open(&part, dir, IMG_GHOST_FILE, ghost->id, err);
	if (ret == 0)
		ret = frame_write(&part, &entry, err);
	if (ret == 0 && S_ISREG(entry.mode))
		ret = save_contents(ghost, &part, entry.size, err);
	if (ret == 0)
		return image_part_close(&part, err);
	image_part_discard(&part);
	return ret;
}

static int read_entry(struct frame_reader *reader, struct arena *arena, GhostFileEntry **ret_entry,
		      struct err *err)
{
	int ret = frame_read(reader, &ghost_file_entry__descriptor, arena, ret_entry, err);

	if (ret == 0)
		return err_set(err, -EBADMSG, "image file '%s' is empty", reader->name);
	return ret < 0 ? ret : 0;
}

int ghost_load(int dirfd, struct arena *arena, struct ghost *ghost, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	_cleanup_close_ int fd = -1;

	int ret = frame_open_head(&reader, dirfd, IMG_GHOST_FILE, ghost->id, &fd, err);
	if (ret == -ENOENT)
		return err_set(err, -EBADMSG, "image file '%s' is missing", reader.name);
	return ret < 0 ? ret : read_entry(&reader, arena, &ghost->entry, err);
}

/* Copies @len bytes at @at of the image to @off of the file; stops at the image's end. */
static int copy_bytes(struct copy *copy, uint64_t at, uint64_t off, uint64_t len,
		      uint64_t *ret_copied, struct err *err)
{
	uint64_t done = 0;

	while (done < len) {
		size_t want = len - done < COPY_SIZE ? (size_t)(len - done) : COPY_SIZE;
		ssize_t n = io_pread(copy->from, copy->buf, want, (off_t)(at + done));

		if (n < 0)
			return err_ret(err, (int)n, "read image file '%s'", copy->name);
		int ret = io_pwrite(copy->to, copy->buf, (size_t)n, (off_t)(off + done));
		if (ret < 0)
			return err_ret(err, ret, "write the file in '%s' back", copy->name);
		done += (uint64_t)n;
		if ((size_t)n < want)
			break;
	}
	*ret_copied = done;
	return 0;
}

/* One chunk: length, message, bytes. *@at moves behind it. 1; 0: end of file; -errno. */
static int copy_chunk(struct copy *copy, uint64_t size, uint64_t *at, struct err *err)
{
	uint8_t packed[4 + 64];
	uint32_t prefix;
	uint64_t copied;

	ssize_t n = io_pread(copy->from, packed, sizeof(packed), (off_t)*at);
	if (n < 0)
		return err_ret(err, (int)n, "read image file '%s'", copy->name);
	if (n == 0)
		return 0;
	memcpy(&prefix, packed, sizeof(prefix));
	if (n < 4 || prefix > sizeof(packed) - 4 || prefix > (size_t)n - 4)
		return err_set(err, -EBADMSG, "image file '%s': no chunk at byte %llu", copy->name,
			       (unsigned long long)*at);
	GhostChunkEntry *chunk = ghost_chunk_entry__unpack(NULL, prefix, packed + 4);
	if (!chunk)
		return err_set(err, -EBADMSG, "image file '%s': no chunk at byte %llu", copy->name,
			       (unsigned long long)*at);
	uint64_t off = chunk->off, len = chunk->len;
	ghost_chunk_entry__free_unpacked(chunk, NULL);
	if (off > size || len > size - off)
		return err_set(err, -EBADMSG,
			       "image file '%s': a chunk of %llu bytes at %llu is not "
			       "inside the file",
			       copy->name, (unsigned long long)len, (unsigned long long)off);
	*at += 4 + prefix;
	int ret = copy_bytes(copy, *at, off, len, &copied, err);
	if (ret == 0 && copied < len)
		ret = err_set(err, -EBADMSG, "image file '%s' is truncated", copy->name);
	*at += len;
	return ret < 0 ? ret : 1;
}

static int copy_contents(struct copy *copy, const GhostFileEntry *entry, uint64_t at,
			 struct err *err)
{
	uint64_t copied;
	int ret = 1;

	if (!entry->has_chunks || !entry->chunks)
		return copy_bytes(copy, at, 0, UINT64_MAX / 4, &copied, err);
	if (entry->size > INT64_MAX || ftruncate(copy->to, (off_t)entry->size) < 0)
		return err_sys(err, "set the size of the file in '%s'", copy->name);
	while (ret > 0)
		ret = copy_chunk(copy, entry->size, &at, err);
	return ret;
}

int image_copy_ghost(int dirfd, uint32_t id, int fd, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	_cleanup_close_ int from = -1;
	GhostFileEntry *entry;
	struct arena arena = { 0 };

	int ret = frame_open_head(&reader, dirfd, IMG_GHOST_FILE, id, &from, err);
	if (ret < 0)
		return ret;
	ret = read_entry(&reader, &arena, &entry, err);
	if (ret == 0 && S_ISREG(entry->mode)) {
		_cleanup_(copy_fini) struct copy copy = { reader.name, from, fd,
							  xrealloc(NULL, COPY_SIZE) };
		ret = copy_contents(&copy, entry, reader.pos, err);
	}
	arena_fini(&arena);
	return ret;
}
