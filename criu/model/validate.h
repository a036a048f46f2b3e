/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of snapshot_validate() share.
 */
#ifndef CRIB_MODEL_VALIDATE_H
#define CRIB_MODEL_VALIDATE_H

#include "base/hashmap.h"
#include "model/snapshot.h"

struct validate {
	const struct snapshot *snap;
	struct hashmap seen; /* (enum validate_key, id): the object */
	struct err *err;
};

enum validate_key {
	SEEN_TID,
	SEEN_FILE,
	SEEN_FDTABLE,
	SEEN_MM,
	SEEN_PAGES,
	SEEN_SHMEM,
	SEEN_GHOST,
	SEEN_MEMFD,
	SEEN_TTY,
	SEEN_TTY_DATA,
	SEEN_PIPE,
	SEEN_FIFO,
	SEEN_REMAP,
};

/* Notes @object (not NULL) under @id. 0, or -EBADMSG when there is one already. */
int validate_unique(struct validate *v, enum validate_key key, uint64_t id, const void *object,
		    const char *what);

/* True when @ofd is one of the snapshot's files; they have been noted. */
bool validate_has_file(const struct validate *v, const struct ofd *ofd);

/* validate_mm.c */
int validate_memory(struct validate *v);
/* validate_files.c: notes the files, which validate_memory() needs. */
int validate_files(struct validate *v);
/* After the tasks were noted. */
int validate_locks(struct validate *v);

#endif /* CRIB_MODEL_VALIDATE_H */
