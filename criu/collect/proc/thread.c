// SPDX-License-Identifier: GPL-2.0-only
/*
 * RG_THREAD from /proc and the scheduler's system calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/parse.h"
#include "collect/proc/proc.h"
#include "target/procstat.h"

enum {
	AFFINITY_MIN = 128, /* bytes: 1024 cpus */
	AFFINITY_MAX = 64 * 1024,
};

/* The first version of struct sched_attr (include/uapi/linux/sched/types.h). */
struct sched_attr_v0 {
	__u32 size;
	__u32 policy;
	__u64 flags;
	__s32 nice;
	__u32 priority;
	__u64 runtime, deadline, period;
};
_Static_assert(sizeof(struct sched_attr_v0) == 48, "SCHED_ATTR_SIZE_VER0");

static int read_thread_file(struct proc_task *task, pid_t tid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "task/%d/%s", tid, name);
	return proc_read(task, path, false);
}

static int read_sched(struct proc_task *task, struct rec_thread *rec)
{
	struct sched_attr_v0 attr = { .size = sizeof(attr) };

	if (syscall(SYS_sched_getattr, rec->hdr.tid, &attr, sizeof(attr), 0) < 0)
		return err_sys(task->run->err, "sched_getattr of thread %u", rec->hdr.tid);
	rec->sched_policy = attr.policy;
	rec->sched_prio = attr.priority;
	rec->sched_flags = attr.flags;
	rec->sched_runtime = attr.runtime;
	rec->sched_deadline = attr.deadline;
	rec->sched_period = attr.period;
	rec->hdr.valid |= RV_THREAD_SCHED;
	return 0;
}

/* Appends the words of the cpu mask to run->tail, without zero words at the end. */
static int read_affinity(struct proc_task *task, struct rec_thread *rec)
{
	struct strbuf *tail = &task->run->tail;
	size_t size = AFFINITY_MIN, old = tail->len;
	long got;

	for (;; size *= 2) {
		memset(strbuf_reserve(tail, size), 0, size);
		got = syscall(SYS_sched_getaffinity, rec->hdr.tid, size, tail->data + old);
		if (got >= 0 || errno != EINVAL || size >= AFFINITY_MAX)
			break;
	}
	if (got < 0)
		return err_sys(task->run->err, "sched_getaffinity of thread %u", rec->hdr.tid);

	/* The kernel writes an array of long: words of 32 bits on a big-endian machine are swapped,
	 * which no machine of crib's is. */
	size_t words = (size_t)got / sizeof(__u32);
	const char *data = tail->data + old;
	for (__u32 word = 0; words; words--) {
		memcpy(&word, data + (words - 1) * sizeof(word), sizeof(word));
		if (word)
			break;
	}
	tail->len += words * sizeof(__u32);
	rec->nr_cpu_words = (__u32)words;
	rec->hdr.valid |= RV_THREAD_AFFINITY;
	return 0;
}

/* Missing before Linux 4.6, and -EPERM without CAP_SYS_NICE: left to prctl(2) in the thread. */
static int read_slack(struct proc_task *task, struct rec_thread *rec)
{
	struct strbuf *text = &task->run->text;
	char path[64];
	uint64_t value;

	/* Not below task/, but every thread has a folder of its own that is not listed. */
	snprintf(path, sizeof(path), "/proc/%u/timerslack_ns", rec->hdr.tid);
	if (io_read_file(AT_FDCWD, path, text) < 0)
		return 0;
	const char *p = strbuf_str(text);
	if (!scan_u64(&p, &value))
		return err_set(task->run->err, -EBADMSG, "timerslack_ns: malformed '%s'",
			       strbuf_str(text));
	rec->timerslack_ns = value;
	rec->hdr.valid |= RV_THREAD_SLACK;
	return 0;
}

static int read_robust_list(struct proc_task *task, struct rec_thread *rec)
{
	void *head = NULL;
	size_t len = 0;

	if (syscall(SYS_get_robust_list, rec->hdr.tid, &head, &len) < 0) {
		if (errno == ENOSYS)
			return 0;
		return err_sys(task->run->err, "get_robust_list of thread %u", rec->hdr.tid);
	}
	rec->robust_list = (uintptr_t)head;
	rec->robust_list_len = (__u32)len;
	rec->hdr.valid |= RV_THREAD_ROBUST;
	return 0;
}

static int read_stat(struct proc_task *task, struct rec_thread *rec)
{
	struct procstat stat;

	int ret = read_thread_file(task, (pid_t)rec->hdr.tid, "stat");
	if (ret == 0)
		ret = procstat_parse(strbuf_str(&task->run->text), &stat, task->run->err);
	if (ret < 0)
		return ret;
	memcpy(rec->comm, stat.comm, sizeof(rec->comm));
	rec->state = (unsigned char)stat.state;
	/* sched_getattr(2) tells it of the ordinary policies only. */
	rec->nice = stat.nice;
	rec->hdr.valid |= RV_THREAD_STAT;
	return 0;
}

/* Appends the supplementary groups to run->tail. */
static int read_status(struct proc_task *task, struct rec_thread *rec)
{
	struct proc_run *run = task->run;
	struct proc_status status;

	int ret = read_thread_file(task, (pid_t)rec->hdr.tid, "status");
	if (ret == 0)
		ret = proc_parse_status(strbuf_str(&run->text), &run->arena, &status, run->err);
	if (ret < 0)
		return ret;
	if (status.has_creds) {
		rec->uid = status.uid[0];
		rec->euid = status.uid[1];
		rec->suid = status.uid[2];
		rec->fsuid = status.uid[3];
		rec->gid = status.gid[0];
		rec->egid = status.gid[1];
		rec->sgid = status.gid[2];
		rec->fsgid = status.gid[3];
		rec->cap_inh = status.cap_inh;
		rec->cap_prm = status.cap_prm;
		rec->cap_eff = status.cap_eff;
		rec->cap_bnd = status.cap_bnd;
		rec->cap_amb = status.cap_amb;
		rec->nr_groups = (__u32)status.groups.n;
		if (status.groups.n)
			strbuf_add(&run->tail, status.groups.v, status.groups.n * sizeof(__u32));
		rec->hdr.valid |= RV_THREAD_CREDS;
	}
	rec->no_new_privs = status.no_new_privs;
	rec->seccomp_mode = status.seccomp_mode;
	rec->seccomp_filters = status.seccomp_filters;
	/* How many filters there are is told since Linux 5.9. */
	if (status.seccomp_mode != SECCOMP_MODE_FILTER || status.seccomp_filters)
		rec->hdr.valid |= RV_THREAD_SECCOMP;
	return 0;
}

static int emit_thread(struct proc_task *task, pid_t tid)
{
	struct rec_thread rec = {
		.hdr = { .type = REC_THREAD, .pid = (__u32)task->pid, .tid = (__u32)tid },
	};
	struct strbuf *tail = &task->run->tail;

	strbuf_reset(tail);
	int ret = read_stat(task, &rec);
	if (ret == 0)
		ret = read_sched(task, &rec);
	if (ret == 0)
		ret = read_affinity(task, &rec);
	if (ret == 0)
		ret = read_status(task, &rec); /* groups stand behind the affinity */
	if (ret == 0)
		ret = read_slack(task, &rec);
	if (ret == 0)
		ret = read_robust_list(task, &rec);
	if (ret < 0)
		return ret;
	return proc_emit(task->run, &rec.hdr, __builtin_offsetof(struct rec_thread, tail),
			 strbuf_str(tail), tail->len);
}

int proc_collect_thread(struct proc_task *task)
{
	for (size_t i = 0; i < task->target->nr_tids; i++) {
		int ret = emit_thread(task, task->target->tids[i]);

		if (ret < 0)
			return err_wrap(task->run->err, ret, "thread %d", task->target->tids[i]);
	}
	return 0;
}
