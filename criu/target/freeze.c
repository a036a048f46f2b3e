// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezing of a process tree, see freeze.h. All threads are asked to stop before any is waited
 * for; then the tree is scanned again, until a scan that began with all standing finds nothing new.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "target/compel_err.h"
#include "target/freeze.h"
#include "target/procstat.h"
#include "target/schedclock.h"

enum {
	DEFAULT_TIMEOUT_MS = 10000,
	PATIENCE_MS = 5, /* after that it is asked why a thread does not stop */
	DEATH_MS = 1000, /* for threads on their way out, when all others run again */
	EXIT_MS = 50,    /* for the threads of an exiting process, after its leader */
	RETRY_MS = 1,
	KILL_MS = 2000, /* for the death of a process that was killed */
};

struct freezer {
	struct frozen_tree *tree;
	int64_t deadline;
	bool all_stood; /* when the present scan began */
	size_t news;    /* threads and processes that the present scan met first */
	bool scan_proc; /* the kernel has no /proc/PID/task/TID/children */
	struct schedclock clock;
	struct strbuf buf; /* scratch */
	struct err *err;
};

static struct frozen_task *find_task(const struct frozen_tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->tasks.n; i++)
		if (tree->tasks.v[i]->pid == pid)
			return tree->tasks.v[i];
	return NULL;
}

static struct frozen_thread *find_thread(const struct frozen_task *task, pid_t tid)
{
	size_t from = 1, to = task->threads.n;

	if (to && task->threads.v[0].tid == tid)
		return task->threads.v;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		struct frozen_thread *thread = task->threads.v + mid;

		if (thread->tid == tid)
			return thread;
		if (thread->tid < tid)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

static void insert_thread(struct frozen_tree *tree, struct frozen_task *task, pid_t tid)
{
	array_push(&tree->arena, &task->threads);
	size_t at = task->threads.n - 1;
	for (; at > 1 && task->threads.v[at - 1].tid > tid; at--)
		task->threads.v[at] = task->threads.v[at - 1];
	/* The leader is the first to be inserted, or it has exited and the task is given up. */
	task->threads.v[at] = (struct frozen_thread){ .tid = tid };
}

static void drop_thread(struct frozen_task *task, struct frozen_thread *thread)
{
	size_t behind = task->threads.n - (size_t)(thread - task->threads.v) - 1;

	memmove(thread, thread + 1, behind * sizeof(*thread));
	task->threads.n--;
}

static void drop_task(struct frozen_tree *tree, struct frozen_task *task)
{
	size_t i = 0;

	while (tree->tasks.v[i] != task)
		i++;
	memmove(tree->tasks.v + i, tree->tasks.v + i + 1,
		(tree->tasks.n - i - 1) * sizeof(*tree->tasks.v));
	tree->tasks.n--;
	cleanup_close(&task->pidfd);
}

/* ---- Meeting new threads and processes ---- */

/* pidfd_open(2) that says why. -ESRCH: gone. */
static int open_pidfd(pid_t pid, struct err *err)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		return fd;
	if (errno == ESRCH)
		return err_set(err, -ESRCH, "task %d: no such process", pid);
	/* Which of them depends on the kernel's version. */
	if (errno == EINVAL || errno == ENOENT)
		return err_set(err, -EINVAL,
			       "task %d is a thread and no process: give the number "
			       "of its process, Tgid in /proc/%d/status",
			       pid, pid);
	return err_sys(err, "task %d: pidfd_open", pid);
}

static int leader_is_dead(const struct freezer *fz, pid_t pid)
{
	return err_set(fz->err, -ENOTSUP,
		       "task %d: its main thread has exited alone and others live: such a process "
		       "cannot be dumped",
		       pid);
}

/* Appends @pid, a child of some task of the tree, unless it is gone or elsewhere by now. */
static int meet_task(struct freezer *fz, pid_t pid)
{
	struct procstat stat;
	bool is_root = fz->tree->tasks.n == 0;

	if (find_task(fz->tree, pid))
		return 0;
	if (pid == getpid())
		return err_set(
			fz->err, -EINVAL,
			"crib itself runs in the tree of task %d and cannot stop itself: start it "
			"from another shell",
			is_root ? pid : fz->tree->tasks.v[0]->pid);
	_cleanup_close_ int pidfd = open_pidfd(pid, fz->err);
	if (pidfd < 0)
		return pidfd == -ESRCH && !is_root ? 0 : pidfd;
	/* The descriptor came first: if the number was used again, this is another's child. */
	int ret = procstat_read(pid, pid, &stat, fz->err);
	if (ret == -ESRCH && !is_root)
		return 0;
	if (ret < 0)
		return ret;
	if (stat.flags & PROCSTAT_KTHREAD)
		return err_set(fz->err, -EINVAL, "task %d (%s) is a kernel thread", pid, stat.comm);
	if (is_root && procstat_dead(&stat) && stat.nr_threads > 1)
		return leader_is_dead(fz, pid);
	if (is_root && procstat_dead(&stat))
		return err_set(fz->err, -ESRCH,
			       "task %d (%s) is a zombie: it has exited, only its parent %d has "
			       "not waited for it",
			       pid, stat.comm, stat.ppid);
	if (!is_root && !find_task(fz->tree, stat.ppid))
		return 0;

	struct frozen_task *task = ARENA_NEW(&fz->tree->arena, struct frozen_task);
	*task = (struct frozen_task){ .pid = pid, .ppid = stat.ppid, .pidfd = take_fd(&pidfd) };
	*array_push(&fz->tree->arena, &fz->tree->tasks) = task;
	fz->news++;
	return 0;
}

/* The leader cannot be seized any more. Notes the zombie, or forgets what is gone altogether. */
static int note_death(struct freezer *fz, struct frozen_task *task)
{
	struct procstat stat;
	int ret = procstat_read(task->pid, task->pid, &stat, fz->err);

	fz->news++;
	if (ret < 0 && ret != -ESRCH)
		return ret;
	if (task == fz->tree->tasks.v[0])
		return err_set(fz->err, -ESRCH, "task %d exited while it was being stopped",
			       task->pid);
	if (ret == -ESRCH) {
		drop_task(fz->tree, task);
		return 0;
	}
	if (!procstat_dead(&stat))
		return err_set(fz->err, -EIO,
			       "task %d: it can neither be seized nor is it a zombie", task->pid);
	task->zombie = true;
	task->threads.n = 0;
	array_push(&fz->tree->arena, &task->threads)->tid = task->pid;
	return 0;
}

/* ptrace also answers -EPERM for a thread that exits, and it may be gone when one looks why. */
static bool is_gone(const struct frozen_task *task, pid_t tid)
{
	struct procstat stat;
	int ret = procstat_read(task->pid, tid, &stat, NULL);

	return ret == -ESRCH || (ret == 0 && procstat_dead(&stat));
}

static int meet_thread(struct freezer *fz, struct frozen_task *task, pid_t tid)
{
	struct compel_error ce;

	if (find_thread(task, tid))
		return 0;
	int ret = compel_seize(tid, FREEZE_PTRACE_OPTIONS, &ce);
	if (ret == -ESRCH || (ret == -EPERM && is_gone(task, tid)))
		return tid == task->pid ? note_death(fz, task) : 0;
	if (ret < 0)
		return err_compel(fz->err, ret, &ce);
	/* From here on it is ours to let go, whatever comes. */
	insert_thread(fz->tree, task, tid);
	fz->news++;
	find_thread(task, tid)->slept_ns = schedclock_asleep(&fz->clock, task->pid, tid);
	ret = compel_interrupt(tid, &ce);
	return ret == -ESRCH ? 0 : err_compel(fz->err, ret, &ce);
}

/* The first folder entry that is a number, and so on; 0 at the end. */
static pid_t next_number(DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		uint64_t value;

		if (parse_u64(entry->d_name, INT32_MAX, &value) == 0 && value > 0)
			return (pid_t)value;
	}
	return 0;
}

/* Seizes the threads that are not yet, the leader first. */
static int scan_threads(struct freezer *fz, struct frozen_task *task)
{
	char path[64];
	pid_t tid;

	if (!task->threads.n) {
		int ret = meet_thread(fz, task, task->pid);

		if (ret < 0 || !task->threads.n || task->zombie)
			return ret;
	}
	snprintf(path, sizeof(path), "/proc/%d/task", task->pid);
	_cleanup_closedir_ DIR *dir = opendir(path);
	if (!dir && (errno == ENOENT || errno == ESRCH))
		return 0; /* it dies: waiting for its threads will tell */
	if (!dir)
		return err_sys(fz->err, "open '%s'", path);
	while ((tid = next_number(dir))) {
		int ret = meet_thread(fz, task, tid);

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The children that thread @tid has made. */
static int scan_thread_children(struct freezer *fz, const struct frozen_task *task, pid_t tid)
{
	char path[64];
	uint64_t pid;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", task->pid, tid);
	int ret = io_read_file(AT_FDCWD, path, &fz->buf);
	if (ret == -ESRCH)
		return 0;
	if (ret == -ENOENT) {
		/* Either the thread is gone or the kernel has no such file. */
		snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
		fz->scan_proc = access(path, R_OK) < 0;
		return 0;
	}
	if (ret < 0)
		return err_ret(fz->err, ret, "read '%s'", path);

	const char *p = strbuf_str(&fz->buf);
	for (scan_blanks(&p); *p; scan_blanks(&p)) {
		if (!scan_u64(&p, &pid) || pid == 0 || pid > INT32_MAX)
			return err_set(fz->err, -EBADMSG, "'%s' holds no process number", path);
		ret = meet_task(fz, (pid_t)pid);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int scan_children(struct freezer *fz, const struct frozen_task *task)
{
	/*
	 * Most children are the leader's. Those of the other threads are looked for when nothing
	 * runs any more, once instead of at every scan.
	 */
	size_t n = fz->all_stood ? task->threads.n : 1;

	for (size_t i = 0; i < n && i < task->threads.n && !fz->scan_proc; i++) {
		int ret = scan_thread_children(fz, task, task->threads.v[i].tid);

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Without CONFIG_PROC_CHILDREN: every process whose parent is in the tree. */
static int scan_proc(struct freezer *fz)
{
	_cleanup_closedir_ DIR *dir = opendir("/proc");
	struct procstat stat;
	pid_t pid;

	if (!dir)
		return err_sys(fz->err, "open '/proc'");
	while ((pid = next_number(dir))) {
		int ret = procstat_read(pid, pid, &stat, fz->err);

		if (ret == -ESRCH)
			continue;
		if (ret == 0 && find_task(fz->tree, stat.ppid))
			ret = meet_task(fz, pid);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Interrupts all that is not yet, and counts it in fz->news. */
static int scan(struct freezer *fz)
{
	fz->news = 0;
	for (size_t i = 0; i < fz->tree->tasks.n;) {
		struct frozen_task *task = fz->tree->tasks.v[i];
		int ret = task->zombie ? 0 : scan_threads(fz, task);

		if (ret < 0)
			return ret;
		if (i >= fz->tree->tasks.n || fz->tree->tasks.v[i] != task)
			continue; /* it is gone, another stands in its place */
		ret = task->zombie ? 0 : scan_children(fz, task);
		if (ret < 0)
			return ret;
		i++;
	}
	return fz->scan_proc ? scan_proc(fz) : 0;
}

/* ---- Waiting ---- */

static void release_threads(struct frozen_task *task)
{
	for (size_t i = task->threads.n; i-- > 0 && !task->zombie;) {
		struct frozen_thread *thread = task->threads.v + i;

		if (thread->stands)
			thread->dying = compel_detach(thread->tid, 0, NULL) == -ESRCH;
	}
}

/*
 * Of threads that were killed meanwhile: the kernel tells a parent of a death only when the tracer
 * knows of it. The leader last: while others are left nobody can take note of it.
 */
static void take_note_of_deaths(struct frozen_task *task, int64_t deadline)
{
	struct compel_stop stop;

	for (size_t i = task->threads.n; i-- > 0;)
		if (task->threads.v[i].dying)
			compel_wait_stop(task->threads.v[i].tid, deadline, &stop, NULL);
}

/* While others of the tree stand. */
static void release_task(struct frozen_task *task)
{
	release_threads(task);
	take_note_of_deaths(task, compel_deadline(PATIENCE_MS));
}

static bool shares_memory(pid_t one, pid_t other)
{
	/* Where the kernel cannot tell, letting the child run for a moment does no harm. */
	return syscall(SYS_kcmp, one, other, KCMP_VM, 0, 0) <= 0;
}

static bool all_stand(const struct frozen_task *task)
{
	for (size_t i = 0; i < task->threads.n; i++)
		if (!task->threads.v[i].stands)
			return false;
	return true;
}

/*
 * The parent of a vfork()ed child sleeps until the child runs a program or exits, which it cannot
 * while it stands. Lets such children of threads that do not stop run; the next scan finds them
 * again.
 */
static void release_vforked(struct freezer *fz)
{
	for (size_t i = 1; i < fz->tree->tasks.n;) {
		struct frozen_task *child = fz->tree->tasks.v[i];
		struct frozen_task *parent = find_task(fz->tree, child->ppid);

		if (parent && !child->zombie && !all_stand(parent) && child->threads.n &&
		    all_stand(child) && shares_memory(parent->pid, child->pid)) {
			release_task(child);
			drop_task(fz->tree, child);
		} else {
			i++;
		}
	}
}

/* A child of @task that runs in its memory, 0: none. It was let go and left the tree. */
static pid_t vforked_child(const struct frozen_task *task)
{
	struct procstat stat;

	_cleanup_closedir_ DIR *dir = opendir("/proc");
	for (pid_t pid; dir && (pid = next_number(dir));)
		if (procstat_read(pid, pid, &stat, NULL) == 0 && stat.ppid == task->pid &&
		    syscall(SYS_kcmp, task->pid, pid, KCMP_VM, 0, 0) == 0)
			return pid;
	return 0;
}

/* Words for a thread that did not stop in time. */
static int describe_timeout(struct freezer *fz, const struct frozen_task *task, pid_t tid)
{
	struct procstat stat = { .state = '?' };
	char path[64];
	pid_t child = vforked_child(task);

	if (child)
		return err_set(
			fz->err, -ETIMEDOUT,
			"task %d: thread %d did not stop in time: it waits for its vfork()ed "
			"child %d, which neither runs a program nor exits; dump later or "
			"raise --timeout",
			task->pid, tid, child);
	procstat_read(task->pid, tid, &stat, NULL);
	if (procstat_dead(&stat))
		return leader_is_dead(fz, task->pid);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/wchan", task->pid, tid);
	if (io_read_file(AT_FDCWD, path, &fz->buf) < 0)
		strbuf_reset(&fz->buf);
	return err_set(fz->err, -ETIMEDOUT,
		       "task %d: thread %d (%s) did not stop in time: it is in state %c in the "
		       "kernel (%s); raise --timeout if it only waits for a slow disk",
		       task->pid, tid, stat.comm, stat.state,
		       fz->buf.len ? strbuf_str(&fz->buf) : "?");
}

/*
 * A thread died. Returns 1 while it has to be waited for again: a leader is the last of its
 * process that can be.
 */
static int take_death(struct freezer *fz, struct frozen_task *task, size_t *i,
		      const struct compel_stop *stop)
{
	if (*i > 0) {
		drop_thread(task, task->threads.v + *i);
		fz->news++;
		return 0;
	}
	if (stop->status != -1)
		return note_death(fz, task);
	if (task->threads.n == 1)
		return 1;
	for (size_t j = 1; j < task->threads.n; j++)
		if (!task->threads.v[j].stands)
			return 1;
	return leader_is_dead(fz, task->pid);
}

/* Waits for one thread of @task, until @deadline. 0; 1: not yet; *@i: the next thread. */
static int wait_thread(struct freezer *fz, struct frozen_task *task, size_t *i, int64_t deadline)
{
	struct frozen_thread *thread = task->threads.v + *i;
	struct compel_stop stop;
	struct compel_error ce;
	int ret = 0;

	if (!thread->stands) {
		ret = compel_wait_stop(thread->tid, deadline, &stop, &ce);
		if (ret == -ETIMEDOUT) {
			++*i;
			return 1;
		}
		if (ret == -ESRCH) {
			stop = (struct compel_stop){ .kind = COMPEL_STOP_EXITED };
			ret = 0;
		}
		if (ret < 0)
			return err_compel(fz->err, ret, &ce);
		if (stop.kind == COMPEL_STOP_EXITED) {
			bool leader = *i == 0;

			ret = take_death(fz, task, i, &stop);
			if (leader)
				++*i;
			return ret;
		}
		thread->stands = true;
		if (stop.kind == COMPEL_STOP_GROUP)
			task->stop_signo = stop.signo;
	}
	++*i;
	return 0;
}

/* One look at every thread that does not stand yet. Returns the number of those left. */
static int wait_round(struct freezer *fz, int64_t patience, struct frozen_task **ret_task,
		      pid_t *ret_tid)
{
	int left = 0;

	for (size_t t = 0; t < fz->tree->tasks.n;) {
		struct frozen_task *task = fz->tree->tasks.v[t];

		for (size_t i = 0; i < task->threads.n && !task->zombie;) {
			pid_t tid = task->threads.v[i].tid;
			int ret = wait_thread(fz, task, &i, patience);

			if (ret < 0)
				return ret;
			if (t >= fz->tree->tasks.n || fz->tree->tasks.v[t] != task)
				break;
			if (ret > 0) {
				*ret_task = task;
				*ret_tid = tid;
				left++;
			}
		}
		if (t < fz->tree->tasks.n && fz->tree->tasks.v[t] == task)
			t++;
	}
	return left;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Waits until all stand that were interrupted. */
static int wait_all(struct freezer *fz)
{
	int64_t patience = earlier(fz->deadline, compel_deadline(PATIENCE_MS));
	struct frozen_task *task = NULL;
	pid_t tid = 0;

	for (;;) {
		int left = wait_round(fz, patience, &task, &tid);

		if (left <= 0)
			return left;
		if (compel_deadline(0) >= fz->deadline)
			return describe_timeout(fz, task, tid);
		release_vforked(fz);
		patience = earlier(fz->deadline, compel_deadline(RETRY_MS));
	}
}

/* ---- The result ---- */

/*
 * Reads its present parent. A leader may be a zombie some moments before the rest of an exiting
 * process is. -ESRCH: a zombie that is gone by now, as one that was left to init is.
 */
static int look_again(struct freezer *fz, const struct frozen_task *task, struct procstat *ret_stat)
{
	int64_t deadline = compel_deadline(EXIT_MS);

	for (;;) {
		int ret = procstat_read(task->pid, task->pid, ret_stat, fz->err);

		if (ret == -ESRCH && !task->zombie)
			return err_set(fz->err, -EIO,
				       "task %d was killed while it was being stopped", task->pid);
		if (ret < 0)
			return ret;
		if (!task->zombie || ret_stat->nr_threads <= 1)
			return 0;
		if (compel_deadline(0) >= deadline)
			return leader_is_dead(fz, task->pid);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
}

/*
 * Orders tasks so that parents come before children. A task whose parent died meanwhile may have
 * become the child of another in the tree, or of one outside: that one is none of ours and let go.
 */
static int sort_tasks(struct freezer *fz)
{
	struct frozen_tree *tree = fz->tree;
	size_t done = 1;
	struct procstat stat;

	for (size_t i = 1; i < tree->tasks.n;) {
		struct frozen_task *task = tree->tasks.v[i];
		int ret = look_again(fz, task, &stat);

		if (ret == -ESRCH) {
			drop_task(tree, task);
			continue;
		}
		if (ret < 0)
			return ret;
		task->ppid = stat.ppid;
		i++;
	}
	/* Breadth first: behind each parent that is placed, its children. */
	for (size_t parent = 0; parent < done; parent++) {
		for (size_t i = done; i < tree->tasks.n; i++) {
			struct frozen_task *task = tree->tasks.v[i];

			if (task->ppid != tree->tasks.v[parent]->pid)
				continue;
			memmove(tree->tasks.v + done + 1, tree->tasks.v + done,
				(i - done) * sizeof(*tree->tasks.v));
			tree->tasks.v[done++] = task;
		}
	}
	while (tree->tasks.n > done) {
		struct frozen_task *stranger = tree->tasks.v[tree->tasks.n - 1];

		release_task(stranger);
		drop_task(tree, stranger);
	}
	return 0;
}

static int freeze(struct freezer *fz, pid_t root)
{
	int ret = meet_task(fz, root);

	while (ret == 0) {
		ret = scan(fz);
		if (ret < 0 || (fz->all_stood && !fz->news))
			break;
		ret = wait_all(fz);
		fz->all_stood = true;
	}
	return ret < 0 ? ret : sort_tasks(fz);
}

/* After a failure: a thread that was asked to stop can only be released once it has. */
static void wait_for_release(struct frozen_tree *tree)
{
	int64_t deadline = compel_deadline(PATIENCE_MS);
	struct compel_stop stop;

	for (size_t t = 0; t < tree->tasks.n; t++) {
		struct frozen_task *task = tree->tasks.v[t];

		for (size_t i = 0; i < task->threads.n && !task->zombie; i++) {
			struct frozen_thread *thread = task->threads.v + i;

			if (!thread->stands)
				thread->stands =
					compel_wait_stop(thread->tid, deadline, &stop, NULL) == 0 &&
					stop.kind != COMPEL_STOP_EXITED;
		}
	}
}

int freeze_tree(struct frozen_tree *tree, pid_t root, const struct freeze_opts *opts,
		struct err *err)
{
	struct freezer fz = { .tree = tree, .err = err };

	*tree = (struct frozen_tree){ 0 };
	fz.deadline = opts && opts->deadline ? opts->deadline : compel_deadline(DEFAULT_TIMEOUT_MS);
	if (opts && opts->note_sleep)
		schedclock_init(&fz.clock);
	int ret = freeze(&fz, root);
	strbuf_fini(&fz.buf);
	if (ret < 0)
		thaw_tree(tree, THAW_RUN, NULL);
	return ret;
}

/* ---- Letting go ---- */

/* SIGSTOP waits in the queue until the task is detached, and acts before its next instruction. */
static int stop_task(const struct frozen_task *task, struct err *err)
{
	if (task->zombie || task->stop_signo)
		return 0;
	if (syscall(SYS_pidfd_send_signal, task->pidfd, SIGSTOP, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(err, "task %d: send SIGSTOP", task->pid);
	return 0;
}

/*
 * A tracer may kill without the right to send signals; since Linux 5.19 (6a2d90ba027a "ptrace:
 * Reimplement PTRACE_KILL by always sending SIGKILL") in every state.
 */
static int kill_by_ptrace(pid_t pid)
{
	return ptrace(PTRACE_KILL, pid, NULL, NULL) < 0 ? -errno : 0;
}

static int kill_task(const struct frozen_task *task, struct err *err)
{
	if (task->zombie)
		return 0;
	if (syscall(SYS_pidfd_send_signal, task->pidfd, SIGKILL, NULL, 0) == 0 || errno == ESRCH)
		return 0;
	if (errno == EPERM && kill_by_ptrace(task->pid) == 0)
		return 0;
	return err_sys(err, "task %d: send SIGKILL", task->pid);
}

/* Tries it with a child of crib's. */
static bool can_kill_by_ptrace(void)
{
	bool killed = false;
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (getppid() == parent)
			pause();
		_exit(0);
	}
	if (pid < 0)
		return false;
	if (compel_seize(pid, FREEZE_PTRACE_OPTIONS, NULL) == 0 &&
	    compel_interrupt(pid, NULL) == 0) {
		int64_t deadline = compel_deadline(DEFAULT_TIMEOUT_MS);
		struct compel_stop stop;

		killed = compel_wait_stop(pid, deadline, &stop, NULL) == 0 &&
			 kill_by_ptrace(pid) == 0 &&
			 compel_wait_stop(pid, compel_deadline(KILL_MS), &stop, NULL) == 0 &&
			 stop.kind == COMPEL_STOP_EXITED;
	}
	if (!killed) {
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, __WALL) == pid)
			;
	}
	return killed;
}

int freeze_check_end(const struct frozen_tree *tree, enum thaw_how how, struct err *err)
{
	for (size_t i = 0; i < tree->tasks.n && how != THAW_RUN; i++) {
		const struct frozen_task *task = tree->tasks.v[i];

		if (task->zombie || syscall(SYS_pidfd_send_signal, task->pidfd, 0, NULL, 0) == 0 ||
		    errno != EPERM)
			continue;
		if (how == THAW_STOP)
			return err_set(err, -EPERM,
				       "task %d: not permitted to send it SIGSTOP, as "
				       "--leave-stopped does: crib needs CAP_KILL",
				       task->pid);
		if (can_kill_by_ptrace())
			return 0;
		return err_set(err, -EPERM,
			       "task %d: not permitted to kill it when it is dumped: crib needs "
			       "CAP_KILL, or use --leave-running",
			       task->pid);
	}
	return 0;
}

/* Takes note of each thread's death; the kernel tells the parent after that. The leader is last. */
static int bury_task(const struct frozen_task *task, int64_t deadline, struct err *err)
{
	struct compel_stop stop;
	struct compel_error ce;

	for (size_t i = task->threads.n; i-- > 0 && !task->zombie;) {
		int ret;

		/* A thread that did not stand when it was killed may still report that stop. */
		do {
			ret = compel_wait_stop(task->threads.v[i].tid, deadline, &stop, &ce);
		} while (ret == 0 && stop.kind != COMPEL_STOP_EXITED);
		if (ret < 0 && ret != -ESRCH)
			return err_compel(err, ret, &ce);
	}
	return 0;
}

static int first_failure(int ret, int next)
{
	return ret < 0 ? ret : next < 0 ? next : 0;
}

static int kill_tree(struct frozen_tree *tree, struct err *err)
{
	int64_t deadline = compel_deadline(DEFAULT_TIMEOUT_MS);
	int ret = 0;

	/* None of them stands in the way of another: first all are killed, then all are buried. */
	for (size_t i = 0; i < tree->tasks.n; i++)
		ret = first_failure(ret, kill_task(tree->tasks.v[i], ret < 0 ? NULL : err));
	/* Children first, so that a parent outside hears of the root last. */
	for (size_t i = tree->tasks.n; i-- > 0;)
		ret = first_failure(ret,
				    bury_task(tree->tasks.v[i], deadline, ret < 0 ? NULL : err));
	return ret;
}

int thaw_tree(struct frozen_tree *tree, enum thaw_how how, struct err *err)
{
	int ret = 0;

	wait_for_release(tree);
	if (how == THAW_KILL)
		ret = kill_tree(tree, err);
	for (size_t i = 0; i < tree->tasks.n && how == THAW_STOP; i++)
		ret = first_failure(ret, stop_task(tree->tasks.v[i], ret < 0 ? NULL : err));
	for (size_t i = 0; i < tree->tasks.n; i++) {
		struct frozen_task *task = tree->tasks.v[i];

		if (how != THAW_KILL)
			release_threads(task);
		cleanup_close(&task->pidfd);
	}
	int64_t deadline = compel_deadline(DEATH_MS);

	for (size_t i = 0; i < tree->tasks.n; i++)
		take_note_of_deaths(tree->tasks.v[i], deadline);
	arena_fini(&tree->arena);
	*tree = (struct frozen_tree){ 0 };
	return ret;
}
