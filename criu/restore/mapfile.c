// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening mapped files once.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "restore/mapfile.h"

const struct ofd *mapfile_of_vma(const struct vma *vma)
{
	return vma->file ? vma->file : vma->shmem ? vma->shmem->memfd : NULL;
}

void mapfiles_fini(struct mapfiles *files)
{
	for (size_t i = 0; i < files->files.n; i++)
		close(files->files.v[i]->fd);
	hashmap_fini(&files->known);
	arena_fini(&files->arena);
	*files = (struct mapfiles){ 0 };
}

/*
 * A private mapping never writes. Of a shared one the open flags decide whether it may become
 * writable later.
 */
static int access_of(const struct vma *vma)
{
	if ((vma->flags & MAP_TYPE) == MAP_PRIVATE)
		return O_RDONLY;
	if ((vma->prot & PROT_WRITE) || (vma->has_fdflags && (vma->fdflags & O_ACCMODE) == O_RDWR))
		return O_RDWR;
	return O_RDONLY;
}

int mapfiles_get(struct mapfiles *files, const struct vma *vma, struct err *err)
{
	const struct ofd *ofd = mapfile_of_vma(vma);
	int flags = access_of(vma), fd = -1;

	if (!ofd)
		return err_set(err, -EBADMSG, "mapping %#llx-%#llx: its file is not in the image",
			       (unsigned long long)vma->start, (unsigned long long)vma->end);
	struct mapfile *file = hashmap_get(&files->known, (uintptr_t)ofd, (uint64_t)flags);

	if (file)
		return file->fd;
	int ret = files->opener->open(files->opener->ctx, vma, flags, &fd, err);

	if (ret < 0)
		return err_wrap(err, ret, "mapping %#llx-%#llx", (unsigned long long)vma->start,
				(unsigned long long)vma->end);
	file = ARENA_NEW(&files->arena, struct mapfile);
	*file = (struct mapfile){ .file = ofd, .flags = flags, .fd = fd };
	*array_push(&files->arena, &files->files) = file;
	hashmap_put(&files->known, (uintptr_t)ofd, (uint64_t)flags, file);
	return fd;
}
