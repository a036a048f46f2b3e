// SPDX-License-Identifier: GPL-2.0-only
/*
 * RG_TASK from /proc: what belongs to a process as a whole.
 */
#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/parse.h"
#include "collect/proc/proc.h"
#include "target/procstat.h"

/* What processes can share, met so far. Only who shares memory can share signal handlers. */
struct shared_objects {
	struct proc_identity mm, files, fs;
	struct proc_sem sem;
	struct hashmap sighand; /* (0, mm_id): struct proc_identity */
};

static const char *const ns_links[REC_NS_MAX] = {
	[REC_NS_PID] = "ns/pid",
	[REC_NS_NET] = "ns/net",
	[REC_NS_IPC] = "ns/ipc",
	[REC_NS_UTS] = "ns/uts",
	[REC_NS_MNT] = "ns/mnt",
	[REC_NS_USER] = "ns/user",
	[REC_NS_CGROUP] = "ns/cgroup",
	[REC_NS_TIME] = "ns/time",
	[REC_NS_PID_CHILDREN] = "ns/pid_for_children",
	[REC_NS_TIME_CHILDREN] = "ns/time_for_children",
};

static struct rec_hdr header(const struct proc_task *task, enum rec_type type)
{
	return (struct rec_hdr){ .type = type, .pid = (__u32)task->pid, .tid = (__u32)task->pid };
}

static int read_stat(struct proc_task *task, struct rec_task *rec)
{
	uint64_t tick_ns = UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK);
	struct procstat stat;

	int ret = proc_read(task, "stat", false);
	if (ret == 0)
		ret = procstat_parse(strbuf_str(&task->run->text), &stat, task->run->err);
	if (ret < 0)
		return ret;
	rec->ppid = (__u32)stat.ppid;
	rec->pgid = (__u32)stat.pgid;
	rec->sid = (__u32)stat.sid;
	rec->nr_threads = stat.nr_threads;
	rec->state = (unsigned char)stat.state;
	/* Of a process that lives it is the signal of its last stop, or left over. */
	rec->exit_code = procstat_dead(&stat) ? stat.exit_code : 0;
	rec->exit_signal = (__u32)stat.exit_signal;
	rec->flags = stat.flags & PROCSTAT_KTHREAD ? REC_TASK_KTHREAD : 0;
	rec->tty_rdev = stat.tty;
	rec->tty_pgrp = stat.tty_pgrp > 0 ? (__u32)stat.tty_pgrp : 0;
	rec->start_time = stat.start_ticks * tick_ns;
	memcpy(rec->comm, stat.comm, sizeof(rec->comm));
	rec->hdr.valid |= RV_TASK_STAT;
	return 0;
}

static int read_small_files(struct proc_task *task, struct rec_task *rec)
{
	struct proc_run *run = task->run;
	struct proc_status status;
	uint64_t persona;
	int64_t adj;

	int ret = proc_read(task, "status", false);
	if (ret == 0)
		ret = proc_parse_status(strbuf_str(&run->text), &run->arena, &status, run->err);
	if (ret < 0)
		return ret;
	rec->umask = status.umask;
	rec->hdr.valid |= status.has_umask ? RV_TASK_STATUS : 0;

	ret = proc_read(task, "personality", false);
	if (ret < 0)
		return ret;
	const char *p = strbuf_str(&run->text);
	if (!scan_hex(&p, &persona) || persona > UINT32_MAX)
		return err_set(run->err, -EBADMSG, "personality: malformed '%s'",
			       strbuf_str(&run->text));
	rec->personality = (__u32)persona;
	rec->hdr.valid |= RV_TASK_PERSONA;

	ret = proc_read(task, "oom_score_adj", false);
	if (ret < 0)
		return ret;
	p = strbuf_str(&run->text);
	if (!scan_i64(&p, &adj) || adj < INT16_MIN || adj > INT16_MAX)
		return err_set(run->err, -EBADMSG, "oom_score_adj: malformed '%s'",
			       strbuf_str(&run->text));
	rec->oom_score_adj = (__s32)adj;
	rec->hdr.valid |= RV_TASK_OOM;
	return 0;
}

/* A namespace that this kernel was built without has no link. */
static int read_namespaces(struct proc_task *task, struct rec_task *rec)
{
	for (int i = 0; i < REC_NS_MAX; i++) {
		char text[64];
		uint64_t ino;
		ssize_t len = readlinkat(task->dirfd, ns_links[i], text, sizeof(text) - 1);

		if (len < 0 && errno == ENOENT)
			continue;
		if (len < 0)
			return err_sys(task->run->err, "readlink '/proc/%d/%s'", task->pid,
				       ns_links[i]);
		text[len] = '\0';
		int ret = proc_parse_ns_link(text, &ino, task->run->err);
		if (ret < 0)
			return ret;
		rec->ns[i] = ino;
	}
	rec->hdr.valid |= RV_TASK_NS;
	return 0;
}

static struct proc_identity *sighands_of_mm(struct proc_run *run, struct shared_objects *shared,
					    uint64_t mm_id)
{
	struct proc_identity *known = hashmap_get(&shared->sighand, 0, mm_id);

	if (!known) {
		known = ARENA_NEW(&run->arena, struct proc_identity);
		hashmap_put(&shared->sighand, 0, mm_id, known);
	}
	return known;
}

static int identify(struct proc_task *task, struct shared_objects *shared, struct rec_task *rec)
{
	struct proc_run *run = task->run;
	uint64_t mm, files, fs, sighand;

	int ret = proc_identify(run, &shared->mm, KCMP_VM, task->pid, 0, &mm);
	if (ret == 0)
		ret = proc_identify(run, &shared->files, KCMP_FILES, task->pid, 0, &files);
	if (ret == 0)
		ret = proc_identify(run, &shared->fs, KCMP_FS, task->pid, 0, &fs);
	if (ret == 0)
		ret = proc_identify(run, sighands_of_mm(run, shared, mm), KCMP_SIGHAND, task->pid,
				    0, &sighand);
	if (ret == 0)
		ret = proc_sem_identify(task, &shared->sem, rec);
	if (ret < 0)
		return ret;
	rec->mm_id = mm;
	rec->files_id = files;
	rec->fs_id = fs;
	rec->sighand_id = sighand;
	rec->hdr.valid |= RV_TASK_SHARED;
	return 0;
}

static int emit_task(struct proc_task *task, struct shared_objects *shared)
{
	struct rec_task rec = { .hdr = header(task, REC_TASK) };

	int ret = read_stat(task, &rec);
	if (ret == 0 && !task->target->zombie) {
		ret = read_small_files(task, &rec);
		if (ret == 0)
			ret = read_namespaces(task, &rec);
		if (ret == 0)
			ret = identify(task, shared, &rec);
	} else if (ret == 0) {
		rec.hdr.valid |= RV_TASK_SHARED; /* a zombie has nothing left */
	}
	return ret < 0 ? ret : proc_emit(task->run, &rec.hdr, sizeof(rec), NULL, 0);
}

static int emit_limits(struct proc_task *task)
{
	struct rec_limits rec = { .hdr = header(task, REC_LIMITS) };

	int ret = proc_read(task, "limits", false);
	if (ret == 0)
		ret = proc_parse_limits(strbuf_str(&task->run->text), &rec, task->run->err);
	return ret < 0 ? ret : proc_emit(task->run, &rec.hdr, sizeof(rec), NULL, 0);
}

/* A kernel without CONFIG_CHECKPOINT_RESTORE has no such file, and names no timers at all. */
static int emit_timers(struct proc_task *task)
{
	int ret = proc_read(task, "timers", true);

	if (ret < 0)
		return ret == -ENOENT ? 0 : ret;
	for (const char *pos = strbuf_str(&task->run->text);;) {
		struct rec_ptimer rec = { .hdr = header(task, REC_PTIMER) };

		ret = proc_parse_timer(&pos, &rec, task->run->err);
		if (ret <= 0)
			return ret;
		ret = proc_emit(task->run, &rec.hdr, sizeof(rec), NULL, 0);
		if (ret < 0)
			return ret;
	}
}

static int emit_path(struct proc_task *task, enum rec_path_which which, const char *link)
{
	struct rec_path rec = { .hdr = header(task, REC_PATH), .which = which };
	struct proc_file file;

	int ret = proc_read_link(task, link, &file);
	if (ret == 0)
		ret = proc_stat_link(task, link, &file);
	if (ret == -ENOENT && which == REC_PATH_EXE)
		return 0; /* a process without a program */
	if (ret == -ENOENT || ret == -EPERM)
		return err_ret(task->run->err, ret, "statx '/proc/%d/%s'", task->pid, link);
	if (ret == 0)
		ret = proc_judge_path(task, &file);
	if (ret < 0)
		return ret;
	rec.mode = file.mode;
	rec.dev = file.dev;
	rec.ino = file.ino;
	rec.nlink = file.nlink;
	rec.mnt_id = file.mnt_id;
	rec.file_flags = file.file_flags;
	rec.path_len = (__u32)file.path_len;
	return proc_emit(task->run, &rec.hdr, sizeof(rec), file.path, file.path_len);
}

static int collect_one(struct proc_task *task, struct shared_objects *shared)
{
	int ret = emit_task(task, shared);

	if (ret < 0 || task->target->zombie)
		return ret;
	ret = emit_limits(task);
	if (ret == 0)
		ret = emit_timers(task);
	if (ret == 0)
		ret = emit_path(task, REC_PATH_CWD, "cwd");
	if (ret == 0)
		ret = emit_path(task, REC_PATH_ROOT, "root");
	if (ret == 0)
		ret = emit_path(task, REC_PATH_EXE, "exe");
	return ret;
}

int proc_collect_tasks(struct proc_run *run, const struct collect_target *targets, size_t n)
{
	struct shared_objects shared = { 0 };
	int ret = 0;

	for (size_t i = 0; i < n && ret == 0; i++) {
		struct proc_task task;

		ret = proc_task_open(&task, run, &targets[i]);
		if (ret == 0) {
			ret = collect_one(&task, &shared);
			proc_task_close(&task);
		}
		ret = err_wrap(run->err, ret, "task %d", targets[i].pid);
	}
	hashmap_fini(&shared.sighand);
	return ret;
}
