// SPDX-License-Identifier: GPL-2.0-only
/*
 * The /proc engine: the same records as of the BPF programs, from text files and a few system
 * calls. It works on every kernel that crib does.
 *
 *   REC_TASK    stat, status (umask), personality, oom_score_adj, ns/; kcmp(2): what is shared;
 *               semctl(2): who used semaphores last
 *   REC_LIMITS  limits
 *   REC_PTIMER  timers, without their values
 *   REC_PATH    cwd, root, exe
 *   REC_THREAD  task/TID/stat, status (ids, capabilities, seccomp), timerslack_ns;
 *               sched_getattr(2), sched_getaffinity(2), get_robust_list(2)
 *   REC_MM      stat (layout), auxv
 *   REC_VMA     smaps, map_files/
 *   REC_FD      fd/, fdinfo/; kcmp(2): the same open file description
 *
 * Not to be had from outside, and left to collect/inside/: signal actions, interval timers, values
 * of POSIX timers, dumpable, child subreaper, THP switch, securebits, alternate stacks,
 * clear_child_tid, pdeath_sig, brk.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "collect/proc/proc.h"
#include "collect/proc/proc_source.h"

int proc_task_open(struct proc_task *task, struct proc_run *run,
		   const struct collect_target *target)
{
	char path[32];

	*task = (struct proc_task){ .run = run, .target = target, .pid = target->pid };
	snprintf(path, sizeof(path), "/proc/%d", target->pid);
	task->dirfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (task->dirfd < 0)
		return err_sys(run->err, "open '%s'", path);
	return 0;
}

void proc_task_close(struct proc_task *task)
{
	cleanup_close(&task->dirfd);
	task->dirfd = -1;
}

int proc_read(struct proc_task *task, const char *name, bool optional)
{
	int ret = io_read_file(task->dirfd, name, &task->run->text);

	if (ret == 0 || (optional && ret == -ENOENT))
		return ret;
	return err_ret(task->run->err, ret, "read '/proc/%d/%s'", task->pid, name);
}

int proc_emit(struct proc_run *run, struct rec_hdr *hdr, size_t size, const void *tail,
	      size_t tail_len)
{
	static const char zeroes[8];
	size_t len = ALIGN_UP(size + tail_len, (size_t)8);

	hdr->len = (uint32_t)len;
	strbuf_reset(&run->rec);
	strbuf_reserve(&run->rec, len);
	strbuf_add(&run->rec, hdr, size);
	if (tail_len)
		strbuf_add(&run->rec, tail, tail_len);
	strbuf_add(&run->rec, zeroes, len - size - tail_len);
	return run->sink->emit(run->sink, (const struct rec_hdr *)run->rec.data, run->err);
}

static int each_task(struct proc_run *run, const struct collect_target *targets, size_t n,
		     int (*collect)(struct proc_task *task))
{
	for (size_t i = 0; i < n; i++) {
		struct proc_task task;

		if (targets[i].zombie)
			continue;
		int ret = proc_task_open(&task, run, &targets[i]);
		if (ret == 0) {
			ret = collect(&task);
			proc_task_close(&task);
		}
		if (ret < 0)
			return err_wrap(run->err, ret, "task %d", targets[i].pid);
	}
	return 0;
}

static int proc_collect(struct source *source, enum rec_group group,
			const struct collect_target *targets, size_t n, struct rec_sink *sink,
			struct err *err)
{
	struct proc_run run = {
		.source = container_of(source, struct proc_source, source),
		.sink = sink,
		.err = err,
	};
	int ret = -ENOTSUP;

	switch (group) {
	case RG_TASK: ret = proc_collect_tasks(&run, targets, n); break;
	case RG_THREAD: ret = each_task(&run, targets, n, proc_collect_thread); break;
	case RG_MM: ret = each_task(&run, targets, n, proc_collect_mm); break;
	case RG_FD: ret = proc_collect_fds(&run, targets, n); break;
	case RG_MAX: break;
	}
	strbuf_fini(&run.text);
	strbuf_fini(&run.tail);
	strbuf_fini(&run.rec);
	arena_fini(&run.arena);
	return ret;
}

static void proc_free(struct source *source)
{
	free(source ? container_of(source, struct proc_source, source) : NULL);
}

static const struct source_ops proc_ops = {
	.name = "proc",
	.collect = proc_collect,
	.free = proc_free,
};

struct source *proc_source_new(struct err *err)
{
	if (access("/proc/self/stat", R_OK) < 0) {
		err_sys(err, "'/proc' is not mounted: access '/proc/self/stat'");
		return NULL;
	}
	struct proc_source *source = xzalloc(sizeof(*source));

	source->source.ops = &proc_ops;
	source->next_id = 1;
	source->has_kcmp = proc_probe_kcmp();
	return &source->source;
}

const char *proc_source_note(const struct source *source)
{
	if (source->ops != &proc_ops ||
	    container_of(source, const struct proc_source, source)->has_kcmp)
		return NULL;
	return "kcmp(2) is missing (CONFIG_KCMP) or forbidden: of descriptors only those that a "
	       "child has at the same number as its parent count as shared";
}
