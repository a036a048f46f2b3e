// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checking the large files of an image against their checksums, piece by piece in several threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "image/checksums.h"
#include "image/crc32c.h"
#include "image/image.h"

enum {
	PIECE_SIZE = 4 << 20,    /* bytes that one thread takes at a time */
	BUFFER_SIZE = 256 << 10, /* bytes read at once: what fits in a cache of the cpu */
	THREADS_MAX = 16,
};

struct piece {
	const CribChecksumEntry *file;
	uint64_t off, size;
	uint32_t crc; /* result */
};

struct verify {
	int dirfd;
	struct arena arena;
	struct checksums sums;
	ARRAY(struct piece) pieces; /* those of a file in its order */
	atomic_size_t next;
	atomic_int failed; /* the first -errno of reading */
};

/* Opens the file for each piece: an image may have more files than a process descriptors. */
static int read_piece(const struct verify *verify, struct piece *piece, char *buf)
{
	_cleanup_close_ int fd = openat(verify->dirfd, piece->file->name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (uint64_t done = 0; done < piece->size;) {
		uint64_t left = piece->size - done;
		size_t want = left < BUFFER_SIZE ? (size_t)left : BUFFER_SIZE;
		ssize_t n = io_pread(fd, buf, want, (off_t)(piece->off + done));

		if (n < 0)
			return (int)n;
		if ((size_t)n < want)
			return -EBADMSG;
		piece->crc = crc32c(piece->crc, buf, want);
		done += want;
	}
	return 0;
}

static void *work(void *arg)
{
	struct verify *verify = arg;
	char *buf = xrealloc(NULL, BUFFER_SIZE);
	size_t i;

	while (!atomic_load(&verify->failed) &&
	       (i = atomic_fetch_add(&verify->next, 1)) < verify->pieces.n) {
		int none = 0;
		int ret = read_piece(verify, &verify->pieces.v[i], buf);

		if (ret < 0)
			atomic_compare_exchange_strong(&verify->failed, &none, ret);
	}
	free(buf);
	return NULL;
}

static void run_threads(struct verify *verify, unsigned int nr_threads)
{
	pthread_t threads[THREADS_MAX];
	unsigned int started = 0;

	if (!nr_threads)
		nr_threads = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
	if (nr_threads > THREADS_MAX)
		nr_threads = THREADS_MAX;
	if (nr_threads > verify->pieces.n)
		nr_threads = (unsigned int)verify->pieces.n;
	/* This thread is one of them, and does all when no other can be had. */
	while (started + 1 < nr_threads &&
	       pthread_create(&threads[started], NULL, work, verify) == 0)
		started++;
	work(verify);
	while (started)
		pthread_join(threads[--started], NULL);
}

static void add_file(struct verify *verify, const CribChecksumEntry *file)
{
	for (uint64_t off = 0; off < file->size; off += PIECE_SIZE) {
		uint64_t left = file->size - off;

		*array_push(&verify->arena, &verify->pieces) = (struct piece){
			.file = file,
			.off = off,
			.size = left < PIECE_SIZE ? left : PIECE_SIZE,
		};
	}
}

/* What image_load() leaves: it is large, and read by others. */
static int add_files(struct verify *verify, struct err *err)
{
	int ret = checksums_check_sizes(&verify->sums, verify->dirfd, err);

	for (size_t i = 0; ret == 0 && i < verify->sums.entry->n_file; i++) {
		const CribChecksumEntry *file = verify->sums.entry->file[i];
		uint64_t id;

		if (image_name_is(file->name, IMG_PAGES, &id) ||
		    image_name_is(file->name, IMG_GHOST_FILE, &id))
			add_file(verify, file);
	}
	return ret;
}

/* Puts the pieces of each file together. */
static int compare_sums(const struct verify *verify, struct err *err)
{
	for (size_t i = 0; i < verify->pieces.n;) {
		const CribChecksumEntry *file = verify->pieces.v[i].file;
		uint32_t crc = 0;

		for (; i < verify->pieces.n && verify->pieces.v[i].file == file; i++)
			crc = crc32c_combine(crc, verify->pieces.v[i].crc,
					     verify->pieces.v[i].size);
		int ret = checksums_check(&verify->sums, file->name, file->size, crc, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int verify_all(struct verify *verify, unsigned int nr_threads, struct err *err)
{
	int ret = checksums_load(verify->dirfd, &verify->arena, &verify->sums, err);

	if (ret <= 0)
		return ret;
	ret = add_files(verify, err);
	if (ret < 0)
		return ret;
	run_threads(verify, nr_threads);
	ret = atomic_load(&verify->failed);
	if (ret < 0)
		return err_ret(err, ret, "read the pages of the image");
	return compare_sums(verify, err);
}

int image_verify_contents(int dirfd, unsigned int nr_threads, struct err *err)
{
	struct verify verify = { .dirfd = dirfd };
	int ret = verify_all(&verify, nr_threads, err);

	arena_fini(&verify.arena);
	return ret;
}
