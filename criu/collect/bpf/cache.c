// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of what was found out, see cache.h.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "collect/bpf/cache.h"

enum { NAME_SIZE = BPF_ID_SIZE + 16 };

/* bpf/embed.S: a string */
extern const char bpf_object_hash[];

uint64_t bpf_hash(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3;
	return hash;
}

/* The build id that the linker gave the kernel, from its ELF notes; 0: it has none. */
static uint64_t hash_of_notes(void)
{
	struct {
		__u32 namesz, descsz, type;
		char name[4];
		unsigned char id[64];
	} note;

	_cleanup_close_ int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	for (off_t at = 0; fd >= 0;) {
		ssize_t len = io_pread(fd, &note, sizeof(note), at);

		if (len < 16 || note.descsz > 4096 || note.namesz > 64)
			return 0;
		if (note.type == 3 && note.namesz == 4 && !memcmp(note.name, "GNU", 4) &&
		    note.descsz <= sizeof(note.id))
			return bpf_hash(note.id, note.descsz);
		at += (off_t)(12 + ALIGN_UP(note.namesz, 4U) + ALIGN_UP(note.descsz, 4U));
	}
	return 0;
}

void bpf_build_id(char ret_id[BPF_ID_SIZE])
{
	uint64_t kernel = hash_of_notes();
	struct utsname name = { 0 };

	if (!kernel && uname(&name) == 0)
		kernel = bpf_hash(name.release, sizeof(name.release)) ^
			 bpf_hash(name.version, sizeof(name.version)) * 3;
	snprintf(ret_id, BPF_ID_SIZE, "%016llx-%.16s", (unsigned long long)kernel, bpf_object_hash);
}

static bool is_roots(int fd, mode_t type)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == 0 &&
	       !(st.st_mode & 022);
}

static int open_dir(void)
{
	if (geteuid() == 0)
		mkdir(BPF_CACHE_DIR, 0700);
	_cleanup_close_ int fd =
		open(BPF_CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && is_roots(fd, S_IFDIR) ? take_fd(&fd) : -1;
}

static void file_name(const char *kind, char ret_name[NAME_SIZE])
{
	char id[BPF_ID_SIZE];

	bpf_build_id(id);
	snprintf(ret_name, NAME_SIZE, "%s-%s", kind, id);
}

int bpf_cache_open(const char *kind)
{
	char name[NAME_SIZE];
	_cleanup_close_ int dirfd = open_dir();

	if (dirfd < 0)
		return -1;
	file_name(kind, name);
	_cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && is_roots(fd, S_IFREG) ? take_fd(&fd) : -1;
}

/* Files of other kernels and programs: whoever needs them makes them again. */
static void remove_stale(int dirfd, const char *kind, const char *name)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	size_t len = strlen(kind);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, kind, len) && entry->d_name[len] == '-' &&
		    strcmp(entry->d_name, name))
			unlinkat(dirfd, entry->d_name, 0);
}

void bpf_cache_keep(const char *kind, int memory)
{
	char name[NAME_SIZE], temporary[NAME_SIZE];
	char buf[16 * 1024];
	ssize_t len;
	off_t at = 0;
	_cleanup_close_ int dirfd = open_dir();

	if (dirfd < 0)
		return;
	file_name(kind, name);
	snprintf(temporary, sizeof(temporary), ".new-%d", getpid());
	_cleanup_close_ int fd = openat(dirfd, temporary,
					O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	while ((len = io_pread(memory, buf, sizeof(buf), at)) > 0 &&
	       io_write(fd, buf, (size_t)len) == 0)
		at += len;
	if (len != 0 || renameat(dirfd, temporary, dirfd, name) < 0)
		unlinkat(dirfd, temporary, 0);
	else
		remove_stale(dirfd, kind, name);
}
