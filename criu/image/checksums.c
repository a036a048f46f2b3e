// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of an image's files, see checksums.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "image/checksums.h"
#include "image/crc32c.h"
#include "image/frame.h"

#include "inventory.pb-c.h"

/* What to do about every kind of damage. */
#define ADVICE "use another copy of the image"

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(CribChecksumEntry *const *)a)->name,
		      (*(CribChecksumEntry *const *)b)->name);
}

/* Appends the checksum of all that was written so far. */
static int write_own_checksum(struct image_part *part, struct err *err)
{
	int ret = image_part_flush(part, err);

	if (ret < 0)
		return ret;
	uint32_t crc = part->crc;
	return image_part_write(part, &crc, sizeof(crc), err);
}

int checksums_save(struct image_dir *dir, struct err *err)
{
	CribChecksumsEntry entry = CRIB_CHECKSUMS_ENTRY__INIT;
	struct image_part part;

	entry.n_file = dir->files.n;
	entry.file = ARENA_ARRAY(&dir->arena, CribChecksumEntry *, entry.n_file);
	for (size_t i = 0; i < entry.n_file; i++) {
		CribChecksumEntry *file = ARENA_NEW(&dir->arena, CribChecksumEntry);

		crib_checksum_entry__init(file);
		file->name = dir->files.v[i].name;
		file->size = dir->files.v[i].size;
		file->crc32c = dir->files.v[i].crc;
		entry.file[i] = file;
	}
	qsort(entry.file, entry.n_file, sizeof(entry.file[0]), compare_names);

	int ret = image_part_open(&part, dir, IMG_CHECKSUMS, 0, err);
	if (ret == 0)
		ret = frame_write(&part, &entry, err);
	if (ret == 0)
		ret = write_own_checksum(&part, err);
	if (ret == 0)
		return image_part_close(&part, err);
	image_part_discard(&part);
	return ret;
}

/* Names are plain file names, ascending, so that they can be looked up and used in openat(2). */
static int check_names(const CribChecksumsEntry *entry, struct err *err)
{
	for (size_t i = 0; i < entry->n_file; i++) {
		const char *name = entry->file[i]->name;

		if (!*name || strlen(name) >= IMAGE_NAME_MAX || *name == '.' || strchr(name, '/'))
			return err_set(err, -EBADMSG,
				       "image file 'crib-checksums.img': '%.64s' is no "
				       "name of an image file",
				       name);
		if (i && strcmp(entry->file[i - 1]->name, name) >= 0)
			return err_set(err, -EBADMSG,
				       "image file 'crib-checksums.img': '%s' is out "
				       "of order",
				       name);
	}
	return 0;
}

static int load_entry(struct frame_reader *reader, struct arena *arena,
		      CribChecksumsEntry **ret_entry, struct err *err)
{
	const void *stored;
	uint32_t crc;

	int ret = frame_read(reader, &crib_checksums_entry__descriptor, arena, ret_entry, err);
	if (ret == 0)
		return err_set(err, -EBADMSG, "image file '%s' is empty; " ADVICE, reader->name);
	if (ret < 0)
		return ret;
	uint32_t own = crc32c(0, reader->data, reader->pos);
	ret = frame_read_bytes(reader, sizeof(crc), &stored, err);
	if (ret < 0)
		return ret;
	memcpy(&crc, stored, sizeof(crc));
	if (crc != own || reader->pos != reader->size)
		return err_set(err, -EBADMSG, "image file '%s' is damaged; " ADVICE, reader->name);
	return check_names(*ret_entry, err);
}

/*
 * criu knows nothing of the list, so one of an older image of crib may lie beside an image that criu
 * made. 1: crib made the image; 0: criu did, or there is none.
 */
static int made_by_crib(int dirfd, struct arena *arena, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	InventoryEntry *inventory;

	int ret = frame_open_optional(&reader, dirfd, IMG_INVENTORY, 0, NULL, err);
	if (ret > 0)
		ret = frame_read(&reader, &inventory_entry__descriptor, arena, &inventory, err);
	if (ret <= 0)
		return ret;
	return inventory->crib_version || inventory->has_page_size || inventory->has_march;
}

int checksums_load(int dirfd, struct arena *arena, struct checksums *ret_sums, struct err *err)
{
	_cleanup_frame_ struct frame_reader reader = { 0 };
	int ret = made_by_crib(dirfd, arena, err);

	if (ret <= 0)
		return ret;
	ret = frame_open_optional(&reader, dirfd, IMG_CHECKSUMS, 0, NULL, err);
	if (ret <= 0)
		return ret;
	ret = load_entry(&reader, arena, &ret_sums->entry, err);
	return ret < 0 ? ret : 1;
}

static int compare_name(const void *key, const void *element)
{
	return strcmp(key, (*(CribChecksumEntry *const *)element)->name);
}

const CribChecksumEntry *checksums_find(const struct checksums *sums, const char *name)
{
	CribChecksumEntry **found = NULL;

	if (sums->entry->n_file)
		found = bsearch(name, sums->entry->file, sums->entry->n_file,
				sizeof(sums->entry->file[0]), compare_name);
	return found ? *found : NULL;
}

static int check_size(const CribChecksumEntry *entry, uint64_t size, struct err *err)
{
	if (size == entry->size)
		return 0;
	return err_set(err, -EBADMSG, "image file '%s' has %llu bytes instead of %llu; " ADVICE,
		       entry->name, (unsigned long long)size, (unsigned long long)entry->size);
}

int checksums_check(const struct checksums *sums, const char *name, uint64_t size, uint32_t crc,
		    struct err *err)
{
	const CribChecksumEntry *entry = checksums_find(sums, name);

	if (!entry)
		return err_set(err, -EBADMSG, "image file '%s' is not part of the image", name);
	int ret = check_size(entry, size, err);
	if (ret == 0 && crc != entry->crc32c)
		ret = err_set(err, -EBADMSG,
			      "image file '%s' is damaged: its checksum is 0x%08x "
			      "instead of 0x%08x; " ADVICE,
			      name, crc, entry->crc32c);
	return ret;
}

int checksums_check_sizes(const struct checksums *sums, int dirfd, struct err *err)
{
	for (size_t i = 0; i < sums->entry->n_file; i++) {
		const CribChecksumEntry *entry = sums->entry->file[i];
		struct stat st;

		int ret = fstatat(dirfd, entry->name, &st, 0) < 0 ? -errno : 0;

		if (ret == -ENOENT)
			return err_set(err, -EBADMSG, "image file '%s' is missing; " ADVICE,
				       entry->name);
		if (ret < 0)
			return err_ret(err, ret, "stat image file '%s'", entry->name);
		ret = check_size(entry, (uint64_t)st.st_size, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}
