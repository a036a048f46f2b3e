// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memfds. A file is one entry of memfd.img and one struct shmem with its contents, however many
 * descriptions and mappings it has. At restore the coordinator makes all files before any task
 * exists; descriptions are opened by /proc/self/fd.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "fd/kinds.h"
#include "fd/memfd.h"
#include "fd/reopen.h"
#include "image/image.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U /* Linux 6.3 */
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010 /* Linux 5.1 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* Linux 6.3 */
#endif

#define MEMFD_PREFIX "/memfd:"

bool memfd_is_path(const struct rec_fd *rec)
{
	return (rec->file_flags & REC_FILE_DELETED) && rec_path_has_prefix(rec, MEMFD_PREFIX);
}

static bool memfd_match(const struct rec_fd *rec)
{
	return memfd_is_path(rec) && S_ISREG(rec->mode);
}

/* ---- Dump ---- */

static int get_seals(int fd, struct err *err)
{
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 && errno == EBADF) { /* O_PATH */
		_cleanup_close_ int copy = fd_reopen(fd, O_RDONLY, err);

		if (copy < 0)
			return copy;
		seals = fcntl(copy, F_GET_SEALS);
	}
	return seals < 0 ? err_sys(err, "F_GET_SEALS") : seals;
}

/* MFD_HUGETLB with the size of its pages; 0 for memory of usual pages. Or -errno. */
static int64_t hugetlb_flag(int fd, struct err *err)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return err_sys(err, "statfs");
	if ((uint32_t)fs.f_type != HUGETLBFS_MAGIC)
		return 0;
	return (int64_t)(MFD_HUGETLB | (uint32_t)__builtin_ctzll((uint64_t)fs.f_bsize)
					       << MFD_HUGE_SHIFT);
}

/* The inode number as criu has it, unless other shared memory has the same. */
static uint32_t choose_shmid(const struct snapshot *snap, uint64_t ino)
{
	uint32_t shmid = (uint32_t)ino;

	for (size_t i = 0; i < snap->shmems.n; i++) {
		if (shmid && snap->shmems.v[i]->shmid != shmid)
			continue;
		shmid++;
		i = (size_t)-1; /* again from the first one */
	}
	return shmid;
}

static int add_inode(struct fd_extract *x, struct ofd *ofd, const struct rec_fd *rec,
		     const struct stat *st, MemfdInodeEntry **ret_inode, struct err *err)
{
	struct snapshot *snap = x->snap;
	MemfdInodeEntry *inode = SNAP_MSG(snap, MemfdInodeEntry, memfd_inode_entry);
	struct shmem *shmem = ARENA_NEW(&snap->arena, struct shmem);
	const size_t prefix = strlen(MEMFD_PREFIX);
	int64_t huge = hugetlb_flag(ofd->borrowed_fd, err);
	int seals = huge < 0 ? (int)huge : get_seals(ofd->borrowed_fd, err);

	if (seals < 0)
		return seals;
	inode->name = arena_strndup(&snap->arena, rec->path + prefix, rec->path_len - prefix);
	inode->uid = st->st_uid;
	inode->gid = st->st_gid;
	inode->size = (uint64_t)st->st_size;
	inode->shmid = choose_shmid(snap, st->st_ino);
	inode->seals = (uint32_t)seals;
	inode->inode_id = snap->memfds.n + 1;
	inode->has_hugetlb_flag = huge != 0;
	inode->hugetlb_flag = (uint32_t)huge;
	inode->has_mode = true;
	inode->mode = st->st_mode;
	*array_push(&snap->arena, &snap->memfds) = inode;
	shmem->shmid = inode->shmid;
	shmem->size = inode->size;
	shmem->memfd = ofd;
	*array_push(&snap->arena, &snap->shmems) = shmem;
	*ret_inode = inode;
	return 0;
}

static int find_or_add_inode(struct fd_extract *x, struct ofd *ofd, const struct rec_fd *rec,
			     MemfdInodeEntry **ret_inode, struct err *err)
{
	struct hashmap *objects = &fd_shared(x)->objects;
	uint64_t key = (uint64_t)FD_TYPES__MEMFD << 48;
	struct stat st;

	if (fstat(ofd->borrowed_fd, &st))
		return err_sys(err, "stat '%.*s'", (int)rec->path_len, rec->path);
	key |= st.st_dev & UINT32_MAX;
	MemfdInodeEntry *inode = hashmap_get(objects, key, st.st_ino);
	if (!inode) {
		int ret = add_inode(x, ofd, rec, &st, &inode, err);

		if (ret < 0)
			return err_wrap(err, ret, "'%.*s'", (int)rec->path_len, rec->path);
		hashmap_put(objects, key, st.st_ino, inode);
	}
	*ret_inode = inode;
	return 0;
}

/* By ofd->borrowed_fd, by which the contents are read later, too. */
static int extract_memfd(struct fd_extract *x, struct ofd *ofd, const struct rec_fd *rec,
			 struct err *err)
{
	MemfdFileEntry *entry = SNAP_MSG(x->snap, MemfdFileEntry, memfd_file_entry);
	MemfdInodeEntry *inode = NULL;
	int ret = find_or_add_inode(x, ofd, rec, &inode, err);

	if (ret < 0)
		return ret;
	entry->id = ofd->entry->id;
	entry->flags = rec->flags;
	entry->pos = rec->pos;
	entry->inode_id = (uint32_t)inode->inode_id;
	entry->fown = fd_fown_extract(x->snap, rec->flags & O_PATH ? -1 : ofd->borrowed_fd);
	ofd->entry->memfd = entry;
	return 0;
}

static int memfd_extract(struct fd_extract *x, struct ofd *ofd, int fd, struct err *err)
{
	return extract_memfd(x, ofd, ofd->rec, err);
}

int memfd_extract_path(struct fd_extract *x, struct ofd *ofd, const struct rec_fd *rec, int fd,
		       struct err *err)
{
	ofd->borrowed_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (ofd->borrowed_fd < 0)
		return err_sys(err, "duplicate the descriptor of '%.*s'", (int)rec->path_len,
			       rec->path);
	return extract_memfd(x, ofd, rec, err);
}

/* ---- Restore ---- */

/* One for each inode; ofd->priv of all that refer to it. */
struct memfd_file {
	const MemfdInodeEntry *inode;
	const struct shmem *shmem; /* its contents */
	int fd;                    /* owned, inherited by all actors; -1: not made yet */
	uint32_t late_seals;       /* to be set when mappings stand that they forbid */
};

static bool memfd_resource(const struct snapshot *snap, const struct ofd *ofd, char *buf,
			   size_t size)
{
	for (size_t i = 0; i < snap->memfds.n; i++)
		if (snap->memfds.v[i]->inode_id == ofd->entry->memfd->inode_id)
			return snprintf(buf, size, MEMFD_PREFIX "%s", snap->memfds.v[i]->name) > 0;
	return false;
}

/* Somebody maps it so that it can be written to, which was so before it was sealed. */
static bool is_mapped_writable(const struct snapshot *snap, const struct shmem *shmem)
{
	for (size_t i = 0; i < snap->mms.n && shmem; i++)
		array_each(const struct vma, vma, &snap->mms.v[i]->vmas)
			if (vma->shmem == shmem && (vma->flags & MAP_TYPE) != MAP_PRIVATE &&
			    ((vma->prot & PROT_WRITE) || (vma->fdflags & O_ACCMODE) == O_RDWR))
				return true;
	return false;
}

static struct memfd_file *add_file(struct snapshot *snap, const MemfdInodeEntry *inode)
{
	struct memfd_file *file = ARENA_NEW(&snap->arena, struct memfd_file);

	file->inode = inode;
	file->fd = -1;
	for (size_t i = 0; i < snap->shmems.n; i++)
		if (snap->shmems.v[i]->shmid == inode->shmid)
			file->shmem = snap->shmems.v[i];
	if ((inode->seals & F_SEAL_FUTURE_WRITE) && is_mapped_writable(snap, file->shmem))
		file->late_seals = inode->seals & (F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
	return file;
}

static int memfd_adapt(struct snapshot *snap, const struct opts *opts, struct err *err)
{
	struct hashmap files = { 0 };

	for (size_t i = 0; i < snap->memfds.n; i++)
		hashmap_put(&files, 0, snap->memfds.v[i]->inode_id,
			    add_file(snap, snap->memfds.v[i]));
	for (size_t i = 0; i < snap->files.n; i++) {
		struct ofd *ofd = snap->files.v[i];

		if (ofd->entry->type == FD_TYPES__MEMFD)
			ofd->priv = hashmap_get(&files, 0, ofd->entry->memfd->inode_id);
	}
	hashmap_fini(&files);
	return 0;
}

/*
 * Without MFD_EXEC newer kernels may make a file that is not executable and sealed against becoming
 * so (vm.memfd_noexec); older ones do not know the flag.
 */
static int create(const MemfdInodeEntry *inode, struct err *err)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	if (inode->has_hugetlb_flag)
		flags |= inode->hugetlb_flag &
			 (MFD_HUGETLB | (unsigned int)MFD_HUGE_MASK << MFD_HUGE_SHIFT);
	int fd = memfd_create(inode->name, flags | MFD_EXEC);
	if (fd < 0 && (errno == EINVAL || errno == EACCES))
		fd = memfd_create(inode->name, flags);
	return fd < 0 ? err_sys(err, "memfd_create") : fd;
}

/* Into a mapping: where there is no page for it the call fails, and no SIGBUS comes. */
static int read_pages(int pages_fd, void *to, size_t len, uint64_t off, struct err *err)
{
	ssize_t got = io_pread(pages_fd, to, len, (off_t)off);

	if (got == -EFAULT)
		return err_set(err, -ENOMEM, "read pages: no memory, or no huge page, is left");
	if (got < 0)
		return err_ret(err, (int)got, "read pages");
	return (size_t)got == len ? 0 : err_set(err, -EBADMSG, "read pages: the file is too short");
}

/*
 * Huge pages: where the file had none the image has zeros, and those are left out, since pages of
 * the pool are rare.
 */
static int read_sparse(int pages_fd, char *to, size_t size, uint64_t off, struct err *err)
{
	static const char zeros[64 * 1024];
	_cleanup_free_ char *buf = xzalloc(sizeof(zeros));
	int ret = 0;

	for (size_t done = 0; done < size && ret == 0;) {
		size_t len = size - done < sizeof(zeros) ? size - done : sizeof(zeros);

		ret = read_pages(pages_fd, buf, len, off + done, err);
		if (ret == 0 && memcmp(buf, zeros, len))
			ret = read_pages(pages_fd, to + done, len, off + done, err);
		done += len;
	}
	return ret;
}

/* Only whole huge pages can be mapped; criu writes them to the image in parts of 1 MiB. */
static int fill_piece(const struct memfd_file *file, uint64_t at, size_t len, int pages_fd,
		      uint64_t off, struct err *err)
{
	struct stat st;

	if (fstat(file->fd, &st))
		return err_sys(err, "stat");
	uint64_t start = ALIGN_DOWN(at, (uint64_t)st.st_blksize);
	size_t size = (size_t)(ALIGN_UP(at + len, (uint64_t)st.st_blksize) - start);
	char *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file->fd,
			 (off_t)start);
	if (map == MAP_FAILED)
		return err_sys(err, "map %zu bytes", size);
	int ret = file->inode->has_hugetlb_flag ?
			  read_sparse(pages_fd, map + (at - start), len, off, err) :
			  read_pages(pages_fd, map + (at - start), len, off, err);
	munmap(map, size);
	return ret;
}

/*
 * Contents go in by a mapping, since huge pages have no write(2), and in pieces that fit into any
 * address space.
 */
static int fill_range(const struct memfd_file *file, const struct page_range *range,
		      uint32_t page_size, int pages_fd, struct err *err)
{
	const uint64_t piece = sizeof(void *) > 4 ? UINT64_C(1) << 30 : UINT64_C(1) << 26;
	uint64_t end = range->vaddr + range->nr_pages * page_size, off = range->img_off;

	for (uint64_t at = range->vaddr; at < end;) {
		size_t len = (size_t)(end - at < piece ? end - at : piece);
		int ret = fill_piece(file, at, len, pages_fd, off, err);

		if (ret < 0)
			return ret;
		at += len;
		off += len;
	}
	return 0;
}

static int fill(const struct memfd_file *file, uint32_t page_size, int images_fd, struct err *err)
{
	uint64_t size = ALIGN_UP(file->inode->size, (uint64_t)page_size);

	if (ftruncate(file->fd, (off_t)file->inode->size))
		return err_sys(err, "make it %llu bytes long",
			       (unsigned long long)file->inode->size);
	if (!file->shmem || !file->shmem->pages.n)
		return 0;
	_cleanup_close_ int pages_fd = image_open(images_fd, IMG_PAGES, file->shmem->pages_id, err);
	if (pages_fd < 0)
		return pages_fd;
	array_each(const struct page_range, range, &file->shmem->pages) {
		if (range->vaddr > size || range->nr_pages > (size - range->vaddr) / page_size)
			return err_set(err, -EBADMSG, "page at %#llx is beyond its end",
				       (unsigned long long)range->vaddr);
		int ret = fill_range(file, range, page_size, pages_fd, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int set_attributes(const struct memfd_file *file, struct err *err)
{
	const MemfdInodeEntry *inode = file->inode;
	uint32_t seals = inode->seals & ~file->late_seals;
	struct stat st;

	if (fstat(file->fd, &st))
		return err_sys(err, "stat");
	if ((st.st_uid != inode->uid || st.st_gid != inode->gid) &&
	    fchown(file->fd, inode->uid, inode->gid))
		return err_sys(err, "chown to %u:%u", inode->uid, inode->gid);
	if (inode->has_mode && fchmod(file->fd, inode->mode & 07777))
		return err_sys(err, "chmod to %o", inode->mode & 07777);
	if (seals && fcntl(file->fd, F_ADD_SEALS, seals))
		return err_sys(err, "F_ADD_SEALS %#x", seals);
	return 0;
}

/* In the end there is no writer left: a program that is run must not have one. */
static int make_file(struct memfd_file *file, uint32_t page_size, int images_fd, int service_fd,
		     struct err *err)
{
	file->fd = create(file->inode, err);
	if (file->fd < 0)
		return file->fd;
	int ret = fill(file, page_size, images_fd, err);
	if (ret == 0)
		ret = set_attributes(file, err);
	if (ret < 0)
		return ret;
	_cleanup_close_ int reader =
		file->late_seals ? take_fd(&file->fd) : fd_reopen(file->fd, O_RDONLY, err);
	if (reader < 0)
		return reader;
	cleanup_close(&file->fd);
	file->fd = fcntl(reader, F_DUPFD_CLOEXEC, service_fd);
	return file->fd < 0 ? err_sys(err, "duplicate a descriptor") : 0;
}

/* What file @i of the image is, if it is a memfd. */
static struct memfd_file *file_of(const struct snapshot *snap, size_t i)
{
	const struct ofd *ofd = snap->files.v[i];

	return ofd->entry->type == FD_TYPES__MEMFD ? ofd->priv : NULL;
}

int memfd_prepare(struct snapshot *snap, int images_fd, int service_fd, struct err *err)
{
	for (size_t i = 0; i < snap->files.n; i++) {
		struct memfd_file *file = file_of(snap, i);

		if (!file || file->fd >= 0)
			continue;
		int ret = make_file(file, snap->page_size, images_fd, service_fd, err);
		if (ret < 0)
			return err_wrap(err, ret, "memfd '%s'", file->inode->name);
	}
	return 0;
}

int memfd_seal(const struct snapshot *snap, struct err *err)
{
	for (size_t i = 0; i < snap->files.n; i++) {
		struct memfd_file *file = file_of(snap, i);

		if (!file || !file->late_seals)
			continue;
		if (fcntl(file->fd, F_ADD_SEALS, file->late_seals))
			return err_sys(err, "memfd '%s': F_ADD_SEALS %#x", file->inode->name,
				       file->late_seals);
		file->late_seals = 0;
	}
	return 0;
}

void memfd_cleanup(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->files.n; i++) {
		struct memfd_file *file = file_of(snap, i);

		if (file && file->fd >= 0)
			close(take_fd(&file->fd));
	}
}

int memfd_open_path(const struct ofd *ofd, int flags, int *ret_fd, struct err *err)
{
	const struct memfd_file *file = ofd->priv;
	int fd = fd_reopen(file->fd, flags, err);

	if (fd < 0)
		return err_wrap(err, fd, "memfd '%s'", file->inode->name);
	*ret_fd = fd;
	return 0;
}

static int memfd_open(struct fd_opener *opener, const struct ofd *ofd, int *ret_fd, struct err *err)
{
	const MemfdFileEntry *entry = ofd->entry->memfd;
	int flags = (int)(entry->flags & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_NOATIME | O_PATH));
	_cleanup_close_ int fd = -1;
	int ret;

	if (ofd->inherited_fd >= 0)
		return fd_open_inherited(ofd, entry->flags, ret_fd, err);
	ret = memfd_open_path(ofd, flags, &fd, err);
	if (ret == 0 && !(flags & O_PATH)) {
		if (entry->pos && lseek(fd, (off_t)entry->pos, SEEK_SET) < 0)
			return err_sys(err, "seek to %llu", (unsigned long long)entry->pos);
		ret = fd_fown_apply(entry->fown, fd, err);
	}
	if (ret == 0)
		*ret_fd = take_fd(&fd);
	return ret;
}

const struct fd_kind fd_kind_memfd = {
	.name = "memfd",
	.type = FD_TYPES__MEMFD,
	.match = memfd_match,
	.extract = memfd_extract,
	.resource = memfd_resource,
	.adapt = memfd_adapt,
	.open = memfd_open,
};
