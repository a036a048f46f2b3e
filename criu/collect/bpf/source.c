// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF engine: programs read the kernel's own structs, addressed by the pidfds of the caller's
 * descriptor table, and write what they find into a ring. Here they are run until all targets are
 * done, and what they wrote becomes records.
 *
 * A target's records are handed on only when the number of its objects is the one that the kernel
 * itself counts. Otherwise the target is read again, and after some times it is an error.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collect/bpf/engine.h"

enum {
	MAX_RETRIES = 3, /* of a target that changes while it is read */
	MAX_ERRNO = 4095,
};

int bpf_malformed(struct bpf_run *run, const char *what)
{
	return err_set(run->err, -EBADMSG, "BPF record: %s", what);
}

void bpf_put(struct bpf_run *run, struct rec_hdr *hdr, size_t size, const void *tail,
	     size_t tail_len)
{
	static const char zeroes[8];
	size_t len = ALIGN_UP(size + tail_len, (size_t)8);

	hdr->len = (uint32_t)len;
	strbuf_reserve(&run->out, len);
	strbuf_add(&run->out, hdr, size);
	if (tail_len)
		strbuf_add(&run->out, tail, tail_len);
	strbuf_add(&run->out, zeroes, len - size - tail_len);
}

static const char *const object_names[RG_MAX] = {
	[RG_TASK] = "processes",
	[RG_THREAD] = "threads",
	[RG_MM] = "mappings",
	[RG_FD] = "descriptors",
};

static int take_end(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_end *end = (const void *)head;
	pid_t pid = bpf_target(run, head)->pid;

	if (len < sizeof(*end))
		return bpf_malformed(run, "short end");
	if (end->error == -ELOOP)
		return err_set(run->err, -EBADMSG, "task %d: a list of its timers has no end", pid);
	if (end->error > 0 || end->error < -MAX_ERRNO)
		return bpf_malformed(run, "error of an unknown number");
	if (end->error)
		return err_ret(run->err, end->error, "find task %d by its pidfd", pid);
	bool stray = run->group == RG_THREAD && run->nr_alive != bpf_target(run, head)->nr_tids;
	if (end->expected != run->count || stray) {
		if (run->retries++ >= MAX_RETRIES)
			return err_set(run->err, -EAGAIN,
				       "task %d changes while it is read: %u %s found, the "
				       "kernel counts %u%s",
				       pid, run->count, object_names[run->group], end->expected,
				       stray ? ", and others were frozen" : "");
		run->restart = true;
		return 0;
	}
	if (run->group == RG_MM)
		bpf_put_vsyscall(run, bpf_target(run, head));
	run->complete = run->out.len;
	run->current++;
	run->count = run->nr_alive = 0;
	run->retries = 0;
	return 0;
}

static bpf_take_fn *const take_fns[RAW_TYPE_MAX] = {
	[RAW_END] = take_end,
	[RAW_DIR] = bpf_take_dir,
	[RAW_FD] = bpf_take_fd,
	[RAW_MM] = bpf_take_mm,
	[RAW_VMA] = bpf_take_vma,
	[RAW_TASK] = bpf_take_task,
	[RAW_LIMITS] = bpf_take_limits,
	[RAW_SIGACTIONS] = bpf_take_sigactions,
	[RAW_ITIMERS] = bpf_take_itimers,
	[RAW_PATH] = bpf_take_path,
	[RAW_PTIMER] = bpf_take_ptimer,
	[RAW_THREAD] = bpf_take_thread,
	[RAW_GROUPS] = bpf_take_groups,
};

int bpf_take(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	if (len < sizeof(*head) || !head->type || head->type >= RAW_TYPE_MAX)
		return bpf_malformed(run, "unknown type");
	if (head->type == RAW_DIR)
		return bpf_take_dir(run, head, len);
	if (run->restart) /* of the targets behind the one that changed, too */
		return 0;
	if (head->target != run->current || head->target >= run->nr_targets)
		return bpf_malformed(run, "of a target whose turn it is not");
	if (run->out.len - run->complete > run->source->max_bytes)
		return bpf_malformed(run, "more of one task than there can be");
	return take_fns[head->type](run, head, len);
}

/* Reads all that a program has written. */
static int drain(struct bpf_run *run)
{
	struct bpf_ring *ring = &run->source->programs.ring;
	const void *record;
	size_t len;
	int ret = 0;

	while ((record = bpf_ring_next(ring, &len))) {
		/* after a failure the ring is emptied for whoever comes next */
		if (ret == 0)
			ret = bpf_take(run, record, len);
		bpf_ring_release(ring, len);
	}
	return ret;
}

int bpf_flush(struct bpf_run *run)
{
	size_t at = 0;

	while (at < run->complete) {
		struct rec_hdr *hdr = (void *)(run->out.data + at);
		int ret = hdr->type == REC_VMA ? bpf_finish_vma(run, (void *)hdr) : 0;

		if (ret == 0)
			ret = run->sink->emit(run->sink, hdr, run->err);
		if (ret < 0)
			return ret;
		at += hdr->len;
	}
	/* groups may follow that belong to the thread at the end */
	run->last = run->last >= run->complete ? run->last - run->complete : SIZE_MAX;
	size_t rest = run->out.len - run->complete;
	memmove(run->out.data, run->out.data + run->complete, rest);
	run->out.len = rest;
	run->complete = 0;
	return 0;
}

/* After a target that changed: from its begin again. */
static void restart(struct bpf_run *run, struct run_cursor *cursor)
{
	run->restart = false;
	run->out.len = run->complete;
	run->count = run->nr_alive = 0;
	cursor->target = run->current;
	cursor->pos = 0;
}

/* As many targets as the control memory has room for. */
static int run_batch(struct bpf_run *run)
{
	struct bpf_programs *programs = &run->source->programs;
	struct run_cursor cursor = { .nr_targets = (uint32_t)run->nr_targets };
	int ret = 0;

	for (size_t i = 0; i < run->nr_targets; i++)
		programs->control->target[i] =
			(struct run_target){ .pidfd = run->targets[i]->pidfd,
					     .pid = (uint32_t)run->targets[i]->pid };
	run->current = 0;
	run->count = run->nr_alive = 0;
	run->retries = 0;
	do {
		ret = bpf_programs_run(programs, run->group, &cursor, run->err);
		if (ret == 0)
			ret = drain(run);
		if (ret == 0 && run->complete)
			ret = bpf_flush(run);
		if (ret == 0 && run->restart) {
			restart(run, &cursor);
			cursor.status = RUN_INTERRUPTED;
		}
	} while (ret == 0 && cursor.status == RUN_INTERRUPTED);
	if (ret == 0 && run->current != run->nr_targets)
		ret = bpf_malformed(run, "targets are missing");
	return err_wrap(run->err, ret, "task %d",
			run->targets[run->current < run->nr_targets ? run->current : 0]->pid);
}

/* Zombies have nothing but a task record. */
static bool is_wanted(enum rec_group group, const struct collect_target *target)
{
	return group == RG_TASK || !target->zombie;
}

static int bpf_collect(struct source *source, enum rec_group group,
		       const struct collect_target *targets, size_t n, struct rec_sink *sink,
		       struct err *err)
{
	const struct collect_target *batch[RUN_MAX_TARGETS];
	struct bpf_run run = {
		.source = container_of(source, struct bpf_source, source),
		.sink = sink,
		.err = err,
		.group = group,
		.targets = batch,
	};
	int ret = 0;

	run.source->programs.control->generation++;
	if (group == RG_TASK && !run.source->knows_thp)
		ret = bpf_learn_thp(&run);
	if (group == RG_THREAD && !run.source->cpu_words)
		ret = bpf_read_cpus(run.source, err);
	for (size_t i = 0; i < n && ret == 0;) {
		for (run.nr_targets = 0; i < n && run.nr_targets < RUN_MAX_TARGETS; i++)
			if (is_wanted(group, &targets[i]))
				batch[run.nr_targets++] = &targets[i];
		if (run.nr_targets)
			ret = run_batch(&run);
	}
	strbuf_fini(&run.out);
	strbuf_fini(&run.tail);
	arena_fini(&run.arena);
	return ret;
}

static void bpf_free(struct source *source)
{
	if (!source)
		return;
	struct bpf_source *self = container_of(source, struct bpf_source, source);

	bpf_programs_close(&self->programs);
	free(self);
}

const struct source_ops bpf_source_ops = {
	.name = "bpf",
	.collect = bpf_collect,
	.free = bpf_free,
};
