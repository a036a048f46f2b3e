/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the loader share. First load_files(), so that mappings and tables find what
 * they refer to, then the rest of a task.
 */
#ifndef CRIB_IMAGE_LOAD_H
#define CRIB_IMAGE_LOAD_H

#include "base/hashmap.h"
#include "image/checksums.h"
#include "image/frame.h"
#include "image/image.h"

struct load {
	struct snapshot *snap;
	int dirfd; /* borrowed */
	const struct image_load_opts *opts;
	const struct checksums *sums; /* NULL: criu made the image */
	struct checksums own_sums;
	struct hashmap objects; /* (enum load_key, id): what tasks share */
};

enum load_key {
	KEY_TASK,  /* pid: struct task */
	KEY_FILE,  /* id: struct ofd */
	KEY_MM,    /* vm_id: struct mm */
	KEY_FS,    /* fs_id: struct fs */
	KEY_FDT,   /* files_id: struct fdtable */
	KEY_SHMEM, /* shmid: struct shmem */
	KEY_INODE, /* inode_id of a memfd: struct shmem */
	KEY_GHOST, /* id: struct ghost */
};

/* Opens a part that the image may not have. 1; 0: it has not; -errno. */
int load_open(struct load *load, struct frame_reader *reader, enum image_kind kind, uint64_t id,
	      struct err *err);

/* The same for a part without which it is no image. 0; -EBADMSG: it is missing; -errno. */
int load_open_needed(struct load *load, struct frame_reader *reader, enum image_kind kind,
		     uint64_t id, struct err *err);

/*
 * A part of exactly one message. 1; 0: no such part; -errno. @ret_msg is the address of a pointer
 * to the message, which is in the snapshot's arena.
 */
int load_one(struct load *load, enum image_kind kind, uint64_t id,
	     const ProtobufCMessageDescriptor *type, void *ret_msg, struct err *err);

/* The same where the image cannot do without the part. 0; -EBADMSG: it is missing; -errno. */
int load_needed(struct load *load, enum image_kind kind, uint64_t id,
		const ProtobufCMessageDescriptor *type, void *ret_msg, struct err *err);

/* load_files.c: files.img and all that belongs to files but tables. 0 or -errno. */
int load_files(struct load *load, struct err *err);
/* The table of @task, once for all tasks that share it. 0 or -errno. */
int load_fdtable(struct load *load, struct task *task, uint32_t files_id, struct err *err);

/* load_mm.c: the address space of @task. 0 or -errno. */
int load_mm(struct load *load, struct task *task, uint32_t vm_id, struct err *err);
/* load_anon.c: after all mappings and tables, makes anonymous memory of what criu has as memfds. */
void load_anonymous(struct load *load);
/* Contents of shared memory, after all mappings. 0 or -errno. */
int load_shmems(struct load *load, struct err *err);

#endif /* CRIB_IMAGE_LOAD_H */
