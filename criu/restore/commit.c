// SPDX-License-Identifier: GPL-2.0-only
/*
 * The last steps, in the coordinator: every thread is parked in its restorer program. They are
 * stopped with ptrace, given what can only be set from outside, and let go. A coordinator that
 * dies before takes all of them with it: PTRACE_O_EXITKILL.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/log.h"
#include "restore/commit.h"
#include "restore/hold.h"
#include "restore/program.h"
#include "restore/trace.h"
#include "target/compel_err.h"
#include "target/procstat.h"
#include "task/thread_state.h"

enum { STOP_TIMEOUT_MS = 10000 };

static bool is_living(const struct task *task)
{
	return task->state == TASK_STATE_ALIVE || task->state == TASK_STATE_STOPPED;
}

uint32_t commit_count_threads(const struct snapshot *snap)
{
	uint32_t n = 0;

	for (size_t i = 0; i < snap->tasks.n; i++)
		n += is_living(snap->tasks.v[i]) ? (uint32_t)snap->tasks.v[i]->threads.n : 0;
	return n;
}

/* A system call in the task; what it returns when that is not an error. */
static int remote(struct compel_task *ct, struct err *err, const char *what, long nr,
		  const uint64_t args[6])
{
	struct compel_error cerr = { 0 };
	int64_t val = 0;
	int ret = compel_syscall(ct, nr, args, &val, &cerr);

	if (ret < 0)
		return err_compel(err, ret, &cerr);
	return val < 0 ? err_ret(err, (int)val, "%s", what) : 0;
}

/* As prlimit(1) calls them, in the order of their numbers. */
static const char *limit_name(uint32_t which)
{
	static const char *const names[] = {
		"cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
		"memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
	};

	return which < ARRAY_SIZE(names) ? names[which] : "of unknown number";
}

/*
 * From outside, which needs CAP_SYS_RESOURCE for another user's task and for more than crib has;
 * without it by the task itself, which may lower its limits but not raise them.
 */
static int restore_limit(const struct task *task, uint32_t which, struct rlimit64 want,
			 const struct rlimit64 *have, struct compel_task *ct,
			 const struct compel_scratch *scratch, struct err *err)
{
	struct compel_error cerr = { 0 };

	if (syscall(SYS_prlimit64, task->pid, which, &want, NULL) == 0)
		return 0;
	if (errno != EPERM)
		return err_sys(err, "prlimit %s of task %d", limit_name(which), task->pid);
	if (want.rlim_max > have->rlim_max) {
		log_warn("task %d: limit %s was %llu, crib has only %llu and no CAP_SYS_RESOURCE: "
			 "the task keeps crib's",
			 task->pid, limit_name(which), (unsigned long long)want.rlim_max,
			 (unsigned long long)have->rlim_max);
		want.rlim_max = have->rlim_max;
		want.rlim_cur = want.rlim_cur < want.rlim_max ? want.rlim_cur : want.rlim_max;
	}
	int ret = compel_mem_write(ct->tid, scratch->addr, &want, sizeof(want), &cerr);
	if (ret < 0)
		return err_compel(err, ret, &cerr);
	const uint64_t args[6] = { 0, which, scratch->addr, 0 };
	return remote(ct, err, "prlimit64 in the task", SYS_prlimit64, args);
}

static int restore_limits(const struct task *task, struct compel_task *ct,
			  const struct compel_scratch *scratch, struct err *err)
{
	const TaskRlimitsEntry *limits = task->threads.v[0].core->tc->rlimits;

	for (uint32_t i = 0; limits && i < limits->n_rlimits; i++) {
		struct rlimit64 want = { limits->rlimits[i]->cur, limits->rlimits[i]->max }, have;

		/* the task has what it inherited from crib */
		if (syscall(SYS_prlimit64, 0, i, NULL, &have))
			continue;
		if (have.rlim_cur == want.rlim_cur && have.rlim_max == want.rlim_max)
			continue;
		int ret = restore_limit(task, i, want, &have, ct, scratch, err);
		if (ret < 0)
			return err_wrap(err, ret, "limit %s", limit_name(i));
	}
	return 0;
}

static int restore_oom_score(const struct task *task, struct err *err)
{
	const TaskCoreEntry *tc = task->threads.v[0].core->tc;
	_cleanup_strbuf_ struct strbuf buf = { 0 };
	char path[48], text[16];

	if (!tc->has_oom_score_adj)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", task->pid);
	snprintf(text, sizeof(text), "%d\n", tc->oom_score_adj);
	int ret = io_read_file(AT_FDCWD, path, &buf);
	if (ret == 0 && strcmp(strbuf_str(&buf), text))
		ret = io_write_file(AT_FDCWD, path, text);
	if (ret == -EACCES || ret == -EPERM) {
		log_warn("task %d: oom_score_adj %d needs CAP_SYS_RESOURCE: the task keeps %.*s",
			 task->pid, tc->oom_score_adj, (int)strcspn(strbuf_str(&buf), "\n"),
			 strbuf_str(&buf));
		return 0;
	}
	return ret < 0 ? err_ret(err, ret, "write '%s'", path) : 0;
}

/* Where the restored task has a system call instruction: its vdso, else any of its code. */
static int find_insn(const struct task *task, uint64_t *ret_insn, struct err *err)
{
	struct compel_error cerr = { 0 };
	int ret = -ENOENT;

	array_each(struct vma, vma, &task->mm->vmas) {
		const struct compel_range range = { vma->start, vma->end };

		if (!(vma->status & VMA_AREA_VDSO))
			continue;
		ret = compel_insn_find(task->pid, &range, 1, ret_insn, &cerr);
		if (ret == 0)
			return 0;
	}
	ret = compel_insn_find_maps(task->pid, ret_insn, &cerr);
	return err_compel(err, ret, &cerr);
}

static int unmap_region(struct restore *restore, const struct task *task, struct compel_task *ct,
			struct err *err)
{
	const struct restorer_range *region = status_region(restore->status, task->index);
	const uint64_t args[6] = { region->start, region->size };

	return remote(ct, err, "munmap the restorer", SYS_munmap, args);
}

/* Those who share a descriptor table left crib's own open for each other. */
static int close_service_fds(struct restore *restore, const struct task *task,
			     struct compel_task *ct, struct err *err)
{
	const uint64_t args[6] = { (uint64_t)restore->service_fd, ~0U };

	if (!task->fdt->shared || task->fdt->owner != task)
		return 0;
	return remote(ct, err, "close_range", SYS_close_range, args);
}

/* What the process gets through its leader, which stands borrowed. */
static int commit_process(struct restore *restore, const struct task *task, struct compel_task *ct,
			  const struct compel_scratch *scratch, struct err *err)
{
	int ret = restore_oom_score(task, err);

	if (ret == 0)
		ret = restore_limits(task, ct, scratch, err);
	if (ret == 0)
		ret = close_service_fds(restore, task, ct, err);
	return ret == 0 ? unmap_region(restore, task, ct, err) : ret;
}

static int commit_thread(struct restore *restore, const struct thread *thread, uint64_t insn,
			 struct err *err)
{
	const struct compel_prepare_opts opts = {
		.options = TRACE_OPTIONS,
		.seccomp = thread->core->thread_core->seccomp_mode ? COMPEL_SECCOMP_ON :
								     COMPEL_SECCOMP_NONE,
		.insn = insn,
	};
	bool leader = thread->tid == thread->task->pid;
	struct compel_scratch scratch = { 0 };
	struct compel_error cerr = { 0 };
	struct compel_task ct;
	int ret = compel_prepare(&ct, thread->tid, &opts, &cerr);

	if (ret < 0)
		return err_compel(err, ret, &cerr);
	ret = compel_scratch_open(&ct, COMPEL_SCRATCH_MAP, restore->snap.page_size, &scratch,
				  &cerr);
	if (ret < 0)
		return err_compel(err, ret, &cerr);
	if (leader)
		ret = commit_process(restore, thread->task, &ct, &scratch, err);
	if (ret == 0)
		ret = thread_state_apply(thread, &ct, err);
	if (ret < 0)
		return ret;
	ret = compel_scratch_close(&ct, &scratch, &cerr);
	if (ret == 0)
		ret = compel_finish(&ct, &cerr);
	return err_compel(err, ret, &cerr);
}

/*
 * The leader comes last: it removes the region in which the other threads are parked, and until
 * they have their registers none of them may need it.
 */
static int commit_task(struct restore *restore, const struct task *task, struct err *err)
{
	uint64_t insn;
	int ret = find_insn(task, &insn, err);

	for (size_t i = task->threads.n; i-- > 0 && ret == 0;)
		ret = err_wrap(err, commit_thread(restore, &task->threads.v[i], insn, err),
			       "thread %d", task->threads.v[i].tid);
	return ret;
}

/* Those that were held are traced already. */
static bool is_untraced(const struct task *task)
{
	return is_living(task) && !hold_has_task(task);
}

/* Threads that get the signals of a description. */
int step_owners(void *ctx, const struct step *step, struct err *err)
{
	return fd_set_thread_owners(&((struct actor *)ctx)->restore->snap, err);
}

int step_commit(void *ctx, const struct step *step, struct err *err)
{
	struct restore *restore = ((struct actor *)ctx)->restore;
	int ret = trace_seize(&restore->snap, is_untraced, err);

	if (ret == 0)
		ret = trace_stop(&restore->snap, is_living, err);
	for (size_t i = 0; i < restore->snap.tasks.n && ret == 0; i++) {
		const struct task *task = restore->snap.tasks.v[i];

		if (is_living(task))
			ret = err_wrap(err, commit_task(restore, task, err), "task %d", task->pid);
	}
	return ret;
}

/* A stopped task has not run when it is let go: it takes its stop signal in the kernel. */
static void await_stop(const struct task *task)
{
	for (int ms = 0; ms < STOP_TIMEOUT_MS; ms++) {
		struct procstat stat;

		if (procstat_read(task->pid, task->pid, &stat, NULL) < 0 || stat.state == 'T' ||
		    procstat_dead(&stat))
			return;
		usleep(1000);
	}
}

/*
 * Nothing can fail any more: a thread that is gone was killed by somebody else, which its parent
 * will hear of. Stopped tasks get their stop signal while they stand, so that they run nothing.
 */
void commit_resume(struct restore *restore)
{
	program_status_disown(&restore->status->restorer, &restore->owner);
	for (size_t t = 0; t < restore->snap.tasks.n; t++) {
		const struct task *task = restore->snap.tasks.v[t];
		const TaskCoreEntry *tc =
			task->threads.v[0].core ? task->threads.v[0].core->tc : NULL;

		if (task->state == TASK_STATE_STOPPED ||
		    (restore->opts->leave_stopped && is_living(task)))
			kill(task->pid, tc->has_stop_signo ? (int)tc->stop_signo : SIGSTOP);
		for (size_t i = 0; is_living(task) && i < task->threads.n; i++) {
			struct compel_error cerr = { 0 };

			if (compel_detach(task->threads.v[i].tid, 0, &cerr) < 0)
				log_warn("%s", cerr.text);
		}
		if (task->state == TASK_STATE_STOPPED)
			await_stop(task);
	}
}
