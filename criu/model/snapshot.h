/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The snapshot: a process tree as plain data in one arena. Engines fill it, image/ saves and loads
 * it, restore/ reads it. What is shared is one object with several referrers. The state of one
 * kind of object is its protobuf message, hung on the object and allocated in the same arena, so
 * that it needs no encoder. Page contents are not in it, only ranges and where they lie.
 */
#ifndef CRIB_MODEL_SNAPSHOT_H
#define CRIB_MODEL_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/array.h"
#include "base/err.h"

#include "core.pb-c.h"
#include "cpuinfo.pb-c.h"
#include "fdinfo.pb-c.h"
#include "file-lock.pb-c.h"
#include "fs.pb-c.h"
#include "ghost-file.pb-c.h"
#include "inventory.pb-c.h"
#include "memfd.pb-c.h"
#include "mm.pb-c.h"
#include "pipe-data.pb-c.h"
#include "remap-file-path.pb-c.h"
#include "seccomp.pb-c.h"
#include "tty.pb-c.h"

/* task_core_entry.task_state */
enum task_state {
	TASK_STATE_ALIVE = 1,
	TASK_STATE_DEAD = 2,
	TASK_STATE_STOPPED = 3,
	TASK_STATE_HELPER = 4, /* restore only: a dead leader, alive while sessions are made */
};

/* vma_entry.status */
enum vma_status {
	VMA_AREA_REGULAR = 1 << 0, /* dumped and restored by content or by file */
	VMA_AREA_STACK = 1 << 1,
	VMA_AREA_VSYSCALL = 1 << 2,
	VMA_AREA_VDSO = 1 << 3,
	VMA_AREA_HEAP = 1 << 5,
	VMA_FILE_PRIVATE = 1 << 6,
	VMA_FILE_SHARED = 1 << 7,
	VMA_ANON_SHARED = 1 << 8,
	VMA_ANON_PRIVATE = 1 << 9,
	VMA_AREA_SYSVIPC = 1 << 10,
	VMA_AREA_SOCKET = 1 << 11,
	VMA_AREA_VVAR = 1 << 12,
	VMA_AREA_AIORING = 1 << 13,
	VMA_AREA_MEMFD = 1 << 14,
	VMA_AREA_SHSTK = 1 << 15,
	VMA_AREA_GUARD = 1 << 16,
};

/* An open file description; also a file that only a mapping, cwd, root or exe refers to. */
struct ofd {
	FileEntry *entry; /* entry->id is its id, entry->type its kind; never NULL once extracted */
	const struct fd_kind *kind;
	const struct rec_fd *rec; /* dump only: as collected */
	int borrowed_fd;          /* dump only: crib's duplicate, or -1 */
	int inherited_fd;   /* restore only: given by --inherit-fd, owned once prepared; -1: none */
	struct task *owner; /* the first task in tree order that has it in its table, or NULL */
	int owner_fd;       /* the lowest number it has there, or -1 */
	uint32_t position;  /* in snapshot.files */
	uint32_t nr_users;  /* slots of all tables that refer to it */
	void *priv;         /* of the kind; lives in the snapshot's arena */
};

struct fd_slot {
	int fd;
	bool cloexec;
	struct ofd *ofd;
};

/* A descriptor table, shared by tasks cloned with CLONE_FILES. */
struct fdtable {
	uint32_t id;
	struct task *owner;          /* the first task in tree order that has it */
	bool shared;                 /* others have it too */
	ARRAY(struct fd_slot) slots; /* ascending by fd */
};

/* Shared anonymous memory: one object whatever number of tasks map it. */
struct shmem {
	uint64_t shmid;    /* the id in images; the inode number at dump */
	uint64_t size;     /* bytes, up to the end of the last mapping of it */
	struct ofd *memfd; /* its memfd, or NULL: mmap(MAP_SHARED | MAP_ANONYMOUS) */
	struct task *task; /* a task that maps it, and where: content is read through it */
	uint64_t vaddr, offset;
	uint32_t pages_id;
	ARRAY(struct page_range) pages; /* vaddr: offset in the object */
};

/* Pages that are dumped: contiguous, ascending, not overlapping. */
struct page_range {
	uint64_t vaddr; /* bytes */
	uint64_t nr_pages;
	bool guard;               /* MADV_GUARD_INSTALL: access faults, no contents */
	bool cow;                 /* dump only: somebody else may have the pages mapped as well */
	struct task *shared_with; /* contents are that task's at the same address; NULL: own */
	uint64_t img_off;         /* own contents: byte offset in the pages file */
};

struct vma {
	uint64_t start, end; /* bytes, end exclusive */
	uint64_t pgoff;      /* bytes, as the image has it */
	uint64_t shmid;      /* as the image has it: id of the file entry or of the shmem */
	uint32_t prot;       /* PROT_* */
	uint32_t flags;      /* MAP_* */
	uint32_t status;     /* enum vma_status */
	uint64_t madv;       /* bit n: MADV_n was given */
	uint32_t fdflags;    /* O_* with which its file is opened */
	bool has_madv, has_fdflags;
	bool locked_onfault; /* MAP_LOCKED in flags and mlock2(MLOCK_ONFAULT) */
	bool unpopulated;    /* dump only: surely no page of its own */
	struct ofd *file;    /* mapped file, NULL: none */
	struct shmem *shmem;
	const char *anon_name;     /* PR_SET_VMA_ANON_NAME, NULL: none */
	const struct rec_vma *rec; /* dump only: as collected */
};

struct mm {
	uint32_t id;
	struct task *owner; /* the task whose pid names its files */
	MmEntry *entry;     /* without vmas: these are below */
	struct ofd *exe;
	ARRAY(struct vma) vmas; /* ascending */
	uint32_t pages_id;      /* number of its pages-N.img */
	ARRAY(struct page_range) pages;
};

struct fs {
	uint32_t id;
	FsEntry *entry;
	struct ofd *cwd, *root;
};

struct thread {
	pid_t tid;
	struct task *task;
	CoreEntry *core; /* of the leader: with tc and ids */
};

struct task {
	uint32_t index; /* in snapshot.tasks */
	pid_t pid, ppid, pgid, sid;
	enum task_state state;
	struct task *parent; /* NULL: the root of the tree */
	ARRAY(struct task *) children;
	ARRAY(struct thread) threads; /* the leader first; tid as in the image */
	struct mm *mm;                /* NULL: a zombie, and so are the next two */
	struct fdtable *fdt;          /* shared: the same object in several tasks */
	struct fs *fs;
	/* dump only */
	int pidfd; /* borrowed */
	uint32_t tty_rdev, tty_pgrp;
};

/* A deleted file that travels in the image. */
struct ghost {
	uint32_t id; /* of ghost-file-%x.img, and remap_id of the entries that use it */
	GhostFileEntry *entry;
	int fd;           /* owned. Dump: where content is read; restore: to open it again */
	const char *path; /* restore: the name that it has while it is being made */
};

/* Restore: a pseudo-terminal that the coordinator made. */
struct tty_pair {
	uint32_t index;
	int master; /* owned, inherited by all actors */
};

/* Restore: a single thread that gets the signals of a description; it comes into being late. */
struct thread_owner {
	const struct ofd *ofd;
	FownEntry fown;
};

struct pipe_data {
	PipeDataEntry *entry;
	const void *data; /* entry->bytes bytes */
};

struct snapshot {
	struct arena arena;
	uint32_t page_size;
	InventoryEntry *inventory;
	ARRAY(struct task *) tasks; /* parents before children; [0] is the root */
	ARRAY(struct ofd *) files;  /* every entry of files.img */
	ARRAY(struct fdtable *) fdtables;
	ARRAY(struct mm *) mms;
	ARRAY(struct shmem *) shmems;
	ARRAY(struct ghost) ghosts;
	ARRAY(RemapFilePathEntry *) remaps;
	ARRAY(const char *) made_dirs; /* restore: directories made for ghosts, parents first */
	ARRAY(MemfdInodeEntry *) memfds;
	ARRAY(TtyInfoEntry *) ttys;
	ARRAY(TtyDataEntry *) tty_data;
	ARRAY(struct tty_pair) tty_pairs; /* restore only, ascending */
	const char
		*terminal; /* restore: path of the terminal that crib was started from, or NULL */
	bool may_take_terminal; /* crib leads its session: nobody else needs it */
	struct {
		int32_t *map; /* restore only: memory that actors share, see fd/pipe.c */
		size_t size;
	} pipe_ends;
	ARRAY(struct pipe_data) pipe_data; /* pipes-data.img */
	ARRAY(struct pipe_data) fifo_data; /* fifo-data.img */
	ARRAY(FileLockEntry *) locks;
	ARRAY(struct thread_owner) thread_owners; /* restore only */
	SeccompEntry *seccomp;                    /* NULL: no filters */
	CpuinfoEntry *cpuinfo; /* of the processor that was dumped on; NULL: not known */
	uint32_t next_file_id;
};

void snapshot_init(struct snapshot *snap);
void snapshot_fini(struct snapshot *snap);

/* New objects, linked into the snapshot. */
struct task *snapshot_add_task(struct snapshot *snap, pid_t pid, struct task *parent);
struct ofd *snapshot_add_file(struct snapshot *snap); /* no entry yet */

/* NULL when there is none. */
struct task *snapshot_find_task(const struct snapshot *snap, pid_t pid);
struct ofd *snapshot_find_file(const struct snapshot *snap, uint32_t id);

/* Sets ofd->owner, owner_fd and nr_users from the tables. */
void snapshot_assign_owners(struct snapshot *snap);

/*
 * What must hold before an image is written and after one is read: every reference resolves, ids
 * are unique, ranges ascend and stay in user space, counts are bounded. 0 or -EBADMSG.
 */
int snapshot_validate(const struct snapshot *snap, struct err *err);

/* Protobuf messages in the arena: SNAP_MSG(snap, MmEntry, mm_entry) is a fresh, initialized one. */
#define SNAP_MSG(snap, Type, name)                                                                 \
	({                                                                                         \
		Type *__msg = ARENA_NEW(&(snap)->arena, Type);                                     \
		name##__init(__msg);                                                               \
		__msg;                                                                             \
	})

#endif /* CRIB_MODEL_SNAPSHOT_H */
