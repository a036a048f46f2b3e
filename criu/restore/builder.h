/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside program_build(): the parts of a program while it grows.
 */
#ifndef CRIB_RESTORE_BUILDER_H
#define CRIB_RESTORE_BUILDER_H

#include "restore/program.h"

/* The ops of one thread. */
struct op_list {
	ARRAY(struct restorer_op) v;
};

struct builder {
	const struct program_env *env;
	const struct snapshot *snap;
	const struct task *task;
	const struct stage *stage;
	struct program *prog;    /* ->code is the header and data so far */
	struct op_list *threads; /* one for each of task->threads, [0]: the leader */
	struct range_set keep;   /* what ROP_UNMAP_REST leaves */
	struct mapfiles files;
	struct range_set fds;            /* descriptors that the program closes */
	struct restorer_creds own_creds; /* crib's own, without groups */
	uint64_t known_caps;             /* capabilities that this kernel knows */
	struct err *err;
};

/* Appends an op, to be completed by the caller through the result, good until the next one. */
struct restorer_op *builder_op(struct builder *b, struct op_list *list,
			       enum restorer_opcode opcode);

#define BUILDER_OP(b, list, opcode, ...)                                                           \
	({                                                                                         \
		struct restorer_op *__op = builder_op(b, list, opcode);                            \
		const uint64_t __args[] = { __VA_ARGS__ };                                         \
		_Static_assert(sizeof(__args) <= sizeof(__op->arg), "too many");                   \
		memcpy(__op->arg, __args, sizeof(__args));                                         \
		__op;                                                                              \
	})

/* Appends bytes, aligned to 8, and returns their offset. */
uint64_t builder_data(struct builder *b, const void *data, size_t size);
uint64_t builder_str(struct builder *b, const char *str);

/* The POSIX timer that sent a pending signal, -1: none did. */
int64_t builder_signal_timer(const SiginfoEntry *signal);
/* True if the timer that sent a pending signal sends it again when it is armed. */
bool builder_timer_sends(const struct builder *b, const SiginfoEntry *signal);

/* The program closes @fd in the end. Not negative. */
void builder_close_later(struct builder *b, int fd);

/*
 * The address of a hole that neither the task nor crib nor anything staged has, congruent to 0 modulo
 * the page size; it is taken from then on. 0: there is none.
 */
uint64_t builder_take_hole(struct builder *b, uint64_t size);

/* Each appends to the leader's ops. 0 or -errno. */
int build_unmap(struct builder *b); /* last of all: b->keep is complete */
int build_vdso(struct builder *b);
int build_memory(struct builder *b);
int build_process(struct builder *b);
int build_timers(struct builder *b);
void build_posix_locks(struct builder *b);
int build_finish(struct builder *b);
/* Fills b->own_creds and known_caps. 0 or -errno. */
int builder_read_creds(struct builder *b);
/* Appends to the thread's own. */
int build_thread(struct builder *b, size_t index);

#endif /* CRIB_RESTORE_BUILDER_H */
