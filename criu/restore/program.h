/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The restore program: what the restorer blob does to turn an actor into the restored task, as a
 * flat list of opcodes (include/crib/restorer_abi.h) with offsets in place of pointers. Building
 * it opens files and changes nothing else, so that a unit test can read it; running it never
 * comes back. The order:
 *
 *   unmap crib; vdso; PR_SET_MM; staged memory moves in, the rest is mapped; protection, advice,
 *   guard pages, locks; THP, umask, root, cwd; signal actions; threads; descriptors are closed;
 *   POSIX timers are made; then every thread: name, affinity, rseq, robust list, clear_child_tid,
 *   alternate stack, its pending signals, scheduling, [HOLD], credentials, pdeathsig; a barrier;
 *   the leader: dumpable, subreaper, personality, timers are armed; PARK.
 *
 * At PARK every signal is blocked, and nothing is left that is not the task's own but one region of
 * memory, whose range stands at region_off. The coordinator attaches with ptrace, sets registers and
 * the signal mask (orig_ax -1: the thread sleeps in futex(2)), unmaps the region and lets go.
 */
#ifndef CRIB_RESTORE_PROGRAM_H
#define CRIB_RESTORE_PROGRAM_H

#include <linux/futex.h>
#include <stdio.h>

#include "base/err.h"
#include "base/strbuf.h"
#include "crib/restorer_abi.h"
#include "model/snapshot.h"
#include "restore/stage.h"

/* What a program is built from. All of it is borrowed. */
struct program_env {
	const struct snapshot *snap;
	const struct task *task; /* not a zombie */
	struct stage *stage;     /* after stage_finish() */
	int images_fd;
	struct vma_opener opener;

	/*
	 * Shared memory of the restore, and where in it are: struct restorer_status; the futex
	 * word that grows with every event; the struct restorer_range of this task that will
	 * hold the region to unmap when it is parked.
	 */
	void *status_map;
	size_t status_map_size; /* bytes */
	size_t status_off, events_off, region_off;

	int exe_fd; /* these three are closed by the program; -1: leave as it is */
	int cwd_fd;
	int root_fd; /* the program does chroot(2) to it */
	/*
	 * Descriptors of crib, which the program closes: all from service_fd on (-1: none), and
	 * those of the list. Where the mapped files are opened for it, it closes them by itself.
	 */
	int service_fd;
	const int *close_fds;
	size_t nr_close_fds;
	bool hold_before_creds; /* ROP_HOLD in every thread, before its credentials change */
};

struct program {
	struct arena arena;
	struct strbuf code;     /* struct restorer_header, data, ops */
	uint64_t memory_size;   /* bytes of code and the stacks behind it */
	uint64_t stack_end;     /* offset of the end of the leader's stack */
	struct range_set taken; /* where the region must not be */
	struct range limits;
	void *status_map;
	size_t status_map_size, status_off, events_off, region_off;
	ARRAY(int) fds; /* opened for the program; owned until program_run() */
};

/*
 * Fills @prog, which need not be initialized; release it with program_fini() also on failure.
 * 0; -ENOTSUP with words: something of the task cannot be restored; another -errno.
 */
int program_build(const struct program_env *env, struct program *prog, struct err *err);
void program_fini(struct program *prog);

/* One op a line, by thread: "  12 mmap 0x7f0000000000 0x1000 prot r-x flags ..." */
void program_print(const struct program *prog, FILE *out);
/* The same for one op, for messages: "mmap 0x7f0000000000 0x1000 ...". */
void program_describe_op(const struct restorer_op *op, struct strbuf *buf);
/* "the exe link", for messages. */
const char *program_warning_name(enum restorer_warning warning);

/*
 * Becomes the task. Returns only when the program could not be loaded, with a negative errno: then
 * nothing has happened. All signals are blocked from here on.
 */
int program_run(struct program *prog, struct err *err);

/*
 * Coordinator, once: ties the tasks to the life of the calling thread. When it dies, also by SIGKILL,
 * all that are parked or held kill themselves. @owner stays where it is until
 * program_status_disown(), which comes before the tasks are let go.
 */
struct program_owner {
	struct robust_list_head head; /* of this thread, with the status as its only entry */
	struct robust_list entry;
	struct robust_list_head *old_head;
	size_t old_len;
};

int program_status_own(struct restorer_status *status, struct program_owner *owner,
		       struct err *err);
void program_status_disown(struct restorer_status *status, struct program_owner *owner);

/* Coordinator: lets the threads at ROP_HOLD go on. */
void program_status_release(struct restorer_status *status);

#endif /* CRIB_RESTORE_PROGRAM_H */
