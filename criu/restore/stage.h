/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Staging: the private memory of a restored task is put in place before its children are forked,
 * so that parent and child share pages copy-on-write as they did. It lies at other addresses,
 * chosen for the whole tree from holes that no task uses and crib does not, and is moved to its
 * own by the restorer program. Shared anonymous memory is staged once, in the coordinator.
 *
 *	coordinator:	stage_plan(), stage_shmems()
 *	each actor:	stage_task(), fork children, stage_finish(), then program_build()
 *
 * The struct is inherited by fork: each process has its own copy and changes only that.
 */
#ifndef CRIB_RESTORE_STAGE_H
#define CRIB_RESTORE_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/array.h"
#include "base/err.h"
#include "model/snapshot.h"
#include "restore/layout.h"

/*
 * Opens the file that @vma maps (regular file, ghost, memfd) with @flags: O_RDONLY or O_RDWR.
 * The caller owns *@ret_fd. Asked once for each file and access of a task.
 */
struct vma_opener {
	int (*open)(void *ctx, const struct vma *vma, int flags, int *ret_fd, struct err *err);
	void *ctx;
};

/* A mapping that exists at its staging address: [start, end) are the addresses it stands for. */
struct stage_piece {
	uint64_t start, end;
	uint64_t pgoff; /* of start in the file, bytes */
	const struct ofd *file; /* NULL: anonymous */
	uint32_t flags; /* MAP_* of the mapping */
};

/* Pages that are in place: which ones of which pages file. Same place there: same contents. */
struct stage_extent {
	uint64_t vaddr;
	uint64_t nr_pages;
	uint64_t off; /* bytes */
	uint32_t pages_id;
};

/* All that is staged in a process at one time. */
struct stage_state {
	ARRAY(struct stage_piece) pieces;   /* ascending, not overlapping */
	ARRAY(struct stage_extent) extents; /* ascending, not overlapping */
};

struct stage {
	const struct snapshot *snap;
	struct arena arena;
	struct layout own;	/* crib's own mappings as they were when it was planned */
	struct range_map places; /* where each address of private memory is staged */
	uint64_t *shmem_at;	/* where snap->shmems.v[i] is staged; 0: is not */
	struct stage_state now;	/* what this process has in place */
	uint64_t bytes_read, bytes_shared; /* of stage_task(): for stats */
};

void stage_fini(struct stage *stage); /* frees memory of its own; does not unmap what is staged */

/*
 * Coordinator, before any actor exists: chooses the places for the whole tree.
 * 0; -ENOMEM when the holes are too small; -ENOTSUP for mappings that crib cannot restore.
 */
int stage_plan(struct stage *stage, const struct snapshot *snap, struct err *err);

/* Coordinator, after stage_plan(): makes and fills the shared anonymous memory. */
int stage_shmems(struct stage *stage, int images_fd, struct err *err);

/*
 * Actor, before it forks: what was inherited becomes what @task, and the children that share with
 * each other, need. Pages that are the same are kept, so that they stay shared. @images_fd and
 * @opener are borrowed for the call. Does nothing for a zombie but drop what was inherited.
 */
int stage_task(struct stage *stage, const struct task *task, int images_fd,
	       const struct vma_opener *opener, struct err *err);

/* Actor, when its last child is forked: the rest of its own pages. */
int stage_finish(struct stage *stage, const struct task *task, int images_fd,
		 const struct vma_opener *opener, struct err *err);

/* Coordinator: unmaps everything that was staged in it. */
void stage_release(struct stage *stage);

#endif /* CRIB_RESTORE_STAGE_H */
