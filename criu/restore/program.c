// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building the restore program of a task: the order of its parts, and the way they are laid out.
 */
#include <errno.h>
#include <unistd.h>

#include "restore/builder.h"

enum { STACK_SIZE = 8192 }; /* of a thread while it runs the blob */

struct restorer_op *builder_op(struct builder *b, struct op_list *list, enum restorer_opcode opcode)
{
	struct restorer_op *op = array_push(&b->prog->arena, &list->v);

	op->opcode = (uint16_t)opcode;
	return op;
}

uint64_t builder_data(struct builder *b, const void *data, size_t size)
{
	static const char zeroes[8];
	struct strbuf *code = &b->prog->code;

	strbuf_add(code, zeroes, ALIGN_UP(code->len, sizeof(zeroes)) - code->len);
	uint64_t off = code->len;

	strbuf_add(code, data, size);
	return off;
}

uint64_t builder_str(struct builder *b, const char *str)
{
	return builder_data(b, str, strlen(str) + 1);
}

void builder_close_later(struct builder *b, int fd)
{
	range_set_add(&b->prog->arena, &b->fds, (uint64_t)fd, (uint64_t)fd + 1);
}

static void build_close(struct builder *b)
{
	const struct program_env *env = b->env;
	const int given[] = { env->exe_fd, env->cwd_fd, env->root_fd };
	uint64_t service = env->service_fd < 0 ? UINT32_MAX : (uint64_t)env->service_fd;

	for (size_t i = 0; i < ARRAY_SIZE(given); i++)
		if (given[i] >= 0)
			builder_close_later(b, given[i]);
	for (size_t i = 0; i < env->nr_close_fds; i++)
		builder_close_later(b, env->close_fds[i]);
	for (size_t i = 0; i < b->files.files.n; i++)
		builder_close_later(b, b->files.files.v[i]->fd);
	for (size_t i = 0; i < b->prog->fds.n; i++)
		builder_close_later(b, b->prog->fds.v[i]);
	if (env->service_fd >= 0)
		range_set_add(&b->prog->arena, &b->fds, service, (uint64_t)UINT32_MAX + 1);
	range_set_normalize(&b->fds);
	array_each(const struct range, range, &b->fds.v)
		BUILDER_OP(b, &b->threads[0], ROP_CLOSE_RANGE, range->start, range->end - 1);
}

/* Threads exist before anything is said about them, and before the descriptors go. */
static void build_clones(struct builder *b)
{
	const struct task *task = b->task;

	for (size_t i = 1; i < task->threads.n; i++)
		BUILDER_OP(b, &b->threads[0], ROP_CLONE, (uint64_t)task->threads.v[i].tid,
			   i /* becomes an offset in lay_out() */, 0, STACK_SIZE);
}

/* Copies the ops behind the data and puts offsets where indexes of threads stand. */
static void lay_out(struct builder *b)
{
	const size_t nr_threads = b->task->threads.n;
	struct program *prog = b->prog;
	uint64_t ops_off = builder_data(b, "", 0), total = 0;
	uint64_t *thread_off = ARENA_ARRAY(&prog->arena, uint64_t, nr_threads);

	for (size_t i = 0; i < nr_threads; i++) {
		thread_off[i] = ops_off + total * sizeof(struct restorer_op);
		for (size_t k = 0; k < b->threads[i].v.n; k++)
			b->threads[i].v.v[k].index = (uint32_t)total++;
	}
	uint64_t size = ops_off + total * sizeof(struct restorer_op);
	uint64_t stacks = ALIGN_UP(size, 64);

	array_each(struct restorer_op, op, &b->threads[0].v) {
		if (op->opcode != ROP_CLONE)
			continue;
		op->arg[2] = stacks + (op->arg[1] + 1) * STACK_SIZE;
		op->arg[1] = thread_off[op->arg[1]];
	}
	for (size_t i = 0; i < nr_threads; i++)
		strbuf_add(&prog->code, b->threads[i].v.v,
			   b->threads[i].v.n * sizeof(struct restorer_op));

	struct restorer_header *header = (struct restorer_header *)prog->code.data;
	*header = (struct restorer_header){
		.magic = RESTORER_MAGIC,
		.size = (uint32_t)size,
		.nr_ops = (uint32_t)total,
		.leader_ops = (uint32_t)ops_off,
		.nr_threads = (uint32_t)nr_threads,
		.pid = b->task->pid,
	};
	prog->stack_end = stacks + STACK_SIZE;
	prog->memory_size = stacks + nr_threads * STACK_SIZE;
}

static int build_all(struct builder *b)
{
	struct op_list *leader = &b->threads[0];
	int ret;

	builder_op(b, leader, ROP_UNMAP_REST); /* completed by build_unmap() */
	ret = build_vdso(b);
	if (!ret)
		ret = build_memory(b);
	if (!ret)
		ret = build_process(b);
	if (!ret)
		build_clones(b);
	if (!ret)
		build_close(b);
	if (!ret)
		build_posix_locks(b);
	if (!ret)
		ret = build_timers(b);
	for (size_t i = 0; i < b->task->threads.n && !ret; i++)
		ret = build_thread(b, i);
	for (size_t i = 0; i < b->task->threads.n && !ret; i++) {
		BUILDER_OP(b, &b->threads[i], ROP_BARRIER, b->task->threads.n);
		if (!i)
			ret = build_finish(b);
		builder_op(b, &b->threads[i], ROP_PARK);
	}
	if (!ret)
		ret = build_unmap(b);
	if (!ret)
		lay_out(b);
	return ret;
}

/* What is no hole: the task's mappings, crib's own, and what is staged. */
static void note_taken(struct builder *b)
{
	struct program *prog = b->prog;
	const struct stage *stage = b->stage;

	array_each(const struct vma, vma, &b->task->mm->vmas)
		if (!(vma->status & VMA_AREA_VSYSCALL))
			range_set_add(&prog->arena, &prog->taken, vma->start, vma->end);
	array_each(const struct range, own, &stage->own.taken.v)
		range_set_add(&prog->arena, &prog->taken, own->start, own->end);
	array_each(const struct placed_range, place, &stage->places.v)
		range_set_add(&prog->arena, &prog->taken, place->at,
			      place->at + (place->end - place->start));
	for (size_t i = 0; i < b->snap->shmems.n; i++)
		if (stage->shmem_at[i])
			range_set_add(&prog->arena, &prog->taken, stage->shmem_at[i],
				      stage->shmem_at[i] +
					      stage_shmem_size(stage, b->snap->shmems.v[i]));
	range_set_normalize(&prog->taken);
	prog->limits = (struct range){ stage->own.lowest, stage->own.task_size };
}

uint64_t builder_take_hole(struct builder *b, uint64_t size)
{
	struct program *prog = b->prog;
	uint64_t at = range_set_find_hole(&prog->taken, prog->limits, size, b->snap->page_size, 0);

	if (at) {
		range_set_add(&prog->arena, &prog->taken, at, at + size);
		range_set_normalize(&prog->taken);
	}
	return at;
}

int program_build(const struct program_env *env, struct program *prog, struct err *err)
{
	struct restorer_header header = { 0 };
	struct builder b = { .env = env,
			     .snap = env->snap,
			     .task = env->task,
			     .stage = env->stage,
			     .prog = prog,
			     .err = err };

	*prog = (struct program){ .status_map = env->status_map,
				  .status_map_size = env->status_map_size,
				  .status_off = env->status_off,
				  .events_off = env->events_off,
				  .region_off = env->region_off };
	b.files.opener = &env->opener;
	b.threads = ARENA_ARRAY(&prog->arena, struct op_list, env->task->threads.n);
	strbuf_add(&prog->code, &header, sizeof(header));

	note_taken(&b);
	int ret = builder_read_creds(&b);
	if (!ret)
		ret = build_all(&b);
	/* The descriptors of mapped files are the program's from here on. */
	for (size_t i = 0; i < b.files.files.n; i++)
		*array_push(&prog->arena, &prog->fds) = b.files.files.v[i]->fd;
	b.files.files.n = 0;
	mapfiles_fini(&b.files);
	return err_wrap(err, ret, "task %d", env->task->pid);
}

void program_fini(struct program *prog)
{
	for (size_t i = 0; i < prog->fds.n; i++)
		close(prog->fds.v[i]);
	strbuf_fini(&prog->code);
	arena_fini(&prog->arena);
	*prog = (struct program){ 0 };
}
