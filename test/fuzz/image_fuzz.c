// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the image loader, what it checks, and inspect. The input is a list of files, each
 * { u8 kind, u32 id, u32 size, bytes }: they become an image directory in memory, magic numbers
 * are put in front of them.
 *
 *	clang -fsanitize=fuzzer,address,undefined ... image_fuzz.c     the fuzzer: image_fuzz CORPUS
 *	cc -DPACK ... image_fuzz.c                 makes a seed: image_pack IMAGE_DIRECTORY > SEED
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/inspect.h"
#include "image/image.h"

enum { HEAD_SIZE = 9 };

static size_t magic_size(enum image_kind kind)
{
	const struct image_info *info = image_info(kind);

	return (info->magic[0] ? 4 : 0) + (info->magic[1] ? 4 : 0);
}

#ifndef PACK

struct fuzz {
	int dirfd;
	FILE *null;
	char path[32];
};

static struct fuzz fuzz;

static void remove_dir(void)
{
	rmdir(fuzz.path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	snprintf(fuzz.path, sizeof(fuzz.path), "/dev/shm/image-fuzz-XXXXXX");
	if (!mkdtemp(fuzz.path))
		abort();
	atexit(remove_dir);
	fuzz.dirfd = open(fuzz.path, O_RDONLY | O_DIRECTORY);
	fuzz.null = fopen("/dev/null", "w");
	return 0;
}

/* Takes one file off the input. False at its end. */
static bool next_file(const uint8_t **data, size_t *size, char name[IMAGE_NAME_MAX])
{
	uint32_t id, len;

	if (*size < HEAD_SIZE)
		return false;
	enum image_kind kind = (enum image_kind)((*data)[0] % IMG_KIND_MAX);
	memcpy(&id, *data + 1, sizeof(id));
	memcpy(&len, *data + 5, sizeof(len));
	*data += HEAD_SIZE;
	*size -= HEAD_SIZE;
	if (len > *size)
		len = (uint32_t)*size;
	image_name(name, kind, id);
	int fd = openat(fuzz.dirfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || io_write(fd, image_info(kind)->magic, magic_size(kind)) < 0 ||
	    io_write(fd, *data, len) < 0)
		abort();
	close(fd);
	*data += len;
	*size -= len;
	return true;
}

static void load(void)
{
	struct image_load_opts any = { .any_machine = true };
	struct err err = ERR_INIT;
	struct snapshot snap;

	snapshot_init(&snap);
	int ret = image_load(&snap, fuzz.dirfd, &any, &err);
	if (ret < 0 && !err.text[0])
		abort(); /* every failure is described */
	for (int json = 0; ret == 0 && json < 2; json++)
		inspect_print(&snap, &(struct inspect_opts){ .json = json }, fuzz.null, NULL);
	snapshot_fini(&snap);
	image_verify_contents(fuzz.dirfd, 1, &err);
	image_copy_ghost(fuzz.dirfd, 1, -1, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char names[64][IMAGE_NAME_MAX];
	size_t n = 0;

	while (n < 64 && next_file(&data, &size, names[n]))
		n++;
	load();
	while (n)
		unlinkat(fuzz.dirfd, names[--n], 0);
	return 0;
}

#else

static int pack(int dirfd, const char *name, enum image_kind kind, uint32_t id)
{
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	uint8_t head[HEAD_SIZE] = { (uint8_t)kind };
	size_t magic = magic_size(kind);

	if (io_read_file(dirfd, name, &buf) < 0 || buf.len < magic)
		return -1;
	uint32_t len = (uint32_t)(buf.len - magic);
	memcpy(head + 1, &id, sizeof(id));
	memcpy(head + 5, &len, sizeof(len));
	return io_write(1, head, sizeof(head)) < 0 || io_write(1, buf.data + magic, len) < 0;
}

int main(int argc, char **argv)
{
	int dirfd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
	DIR *dir = dirfd < 0 ? NULL : fdopendir(dirfd);
	struct dirent *entry;
	uint64_t id;

	if (!dir)
		return 1;
	while ((entry = readdir(dir)))
		for (int kind = 0; kind < IMG_KIND_MAX; kind++)
			if (kind != IMG_PAGES && kind != IMG_CHECKSUMS &&
			    image_name_is(entry->d_name, (enum image_kind)kind, &id) &&
			    pack(dirfd, entry->d_name, (enum image_kind)kind, (uint32_t)id))
				return 1;
	return 0;
}

#endif
