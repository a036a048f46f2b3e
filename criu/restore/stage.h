/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Staging: the private memory of a restored task is put in place before its children are forked,
 * so that parent and child share pages copy-on-write as they did. It lies at other addresses,
 * chosen for the whole tree from holes that no task uses and crib does not, and is moved to its
 * own by the restorer program, which also reads what no child inherits. Shared anonymous memory is
 * staged once, in the coordinator.
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
#include "restore/mapfile.h"
#include "restore/pages.h"

/*
 * A mapping that exists at its staging address: [start, end) are the addresses it stands for. It may
 * reach beyond its vma where a child's mapping does, so that this one is in one piece.
 */
struct stage_piece {
	uint64_t start, end;
	const struct vma *vma;
};

/* All that is staged in a process at one time. */
struct stage_state {
	ARRAY(struct stage_piece) pieces; /* ascending, not overlapping */
	struct page_extents extents;
};

struct stage {
	const struct snapshot *snap;
	struct arena arena;
	struct layout own;       /* crib's own mappings as they were when it was planned */
	struct range_map places; /* where each address of private memory is staged */
	uint64_t *shmem_at;      /* where snap->shmems.v[i] is staged; 0: is not */
	bool shmems_mapped;
	struct stage_state now; /* what this process has in place */
	bool for_children;      /* it is not what the task itself needs: stage_finish() has work */
	uint64_t bytes_read, bytes_shared; /* by this process, for stats */
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

/* Coordinator: unmaps what was staged in it. */
void stage_release(struct stage *stage);

/*
 * For program_build(). True if the contents of @vma were put in place here; pages of other private
 * memory, such as huge pages, are read by the program.
 */
bool stage_has_vma(const struct stage *stage, const struct vma *vma);
/* Private memory that is made by mmap(2): no vdso and the like, no guard ranges. */
bool stage_vma_is_private(const struct vma *vma);
/* Where @addr of private memory is staged; it is. */
uint64_t stage_address(const struct stage *stage, uint64_t addr);
/* Bytes of the mapping that shared anonymous memory is staged in. */
uint64_t stage_shmem_size(const struct stage *stage, const struct shmem *shmem);
/* Where the shared anonymous memory of @vma is, from vma->pgoff on; 0: not staged. */
uint64_t stage_shmem_address(const struct stage *stage, const struct vma *vma);

#endif /* CRIB_RESTORE_STAGE_H */
