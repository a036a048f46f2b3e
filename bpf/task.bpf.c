// SPDX-License-Identifier: GPL-2.0-only
/*
 * RG_TASK: what belongs to each target as a whole. run.pos is the stage that comes next, in the
 * upper half, and how many of its objects are done in the lower.
 */
#include "compat.h"
#include "run.h"

enum stage {
	STAGE_TASK,
	STAGE_LIMITS,
	STAGE_SIGACTIONS,
	STAGE_ITIMERS,
	STAGE_CWD,
	STAGE_ROOT,
	STAGE_EXE,
	STAGE_PTIMERS,
	STAGE_END,
};

#define STAGE_SHIFT       32
#define MAX_TIMERS        (1 << 20) /* a list of more is none */

#define EXIT_ZOMBIE       0x20 /* include/linux/sched.h, EXIT_DEAD too */
#define EXIT_DEAD         0x10

#define SIGNAL_GROUP_EXIT 0x00000004 /* include/linux/sched/signal.h */

struct timer_state {
	u64 head; /* of the list */
	u64 node; /* the next one */
	u32 skip; /* how many were written by runs before */
	u32 done;
	s32 error;
	struct list_cursor cursor;
};

struct timer_state timers;

/* ---- The task record ---- */

static __always_inline u32 ns_number(u64 ns_common)
{
	return field_of(ns_common, struct ns_common, inum);
}

/* The number of namespace @member of @proxy, 0: none. */
#define proxy_ns(proxy, member, type)                                                              \
	({                                                                                         \
		u64 __ns = (u64)field_of(proxy, struct nsproxy, member);                           \
                                                                                                   \
		__ns ? ns_number(inside(__ns, struct type, ns)) : 0;                               \
	})

static __always_inline void fill_namespaces(struct rec_task *rec)
{
	u64 proxy = (u64)field_of(run.task, struct task_struct, nsproxy);
	u64 pid = (u64)field_of(run.task, struct task_struct, thread_pid);
	u64 upid = inside(pid, struct pid, numbers) +
		   (u64)field_of(pid, struct pid, level) * bpf_core_type_size(struct upid);
	u64 ns = (u64)field_of(upid, struct upid, ns);
	u64 user = (u64)field_of(run.task, struct task_struct, real_cred, user_ns);

	rec->ns[REC_NS_PID] = ns_number(inside(ns, struct pid_namespace, ns));
	rec->ns[REC_NS_USER] = ns_number(inside(user, struct user_namespace, ns));
	rec->ns[REC_NS_NET] = proxy_ns(proxy, net_ns, net);
	rec->ns[REC_NS_IPC] = proxy_ns(proxy, ipc_ns, ipc_namespace);
	rec->ns[REC_NS_UTS] = proxy_ns(proxy, uts_ns, uts_namespace);
	rec->ns[REC_NS_MNT] = proxy_ns(proxy, mnt_ns, mnt_namespace);
	rec->ns[REC_NS_CGROUP] = proxy_ns(proxy, cgroup_ns, cgroup_namespace);
	rec->ns[REC_NS_TIME] = proxy_ns(proxy, time_ns, time_namespace);
	rec->ns[REC_NS_TIME_CHILDREN] = proxy_ns(proxy, time_ns_for_children, time_namespace);
	/* one without its first process cannot be entered, and has no link in /proc */
	u64 children = (u64)field_of(proxy, struct nsproxy, pid_ns_for_children);
	rec->ns[REC_NS_PID_CHILDREN] = 0;
	if (field_of(children, struct pid_namespace, child_reaper))
		rec->ns[REC_NS_PID_CHILDREN] =
			ns_number(inside(children, struct pid_namespace, ns));
}

/* Threads have a list before they use it; a set that is removed leaves it. */
static __always_inline void fill_sysvsem(struct rec_task *rec)
{
	u64 undos = 0;

	rec->sem_undo = REC_SEM_UNDO_NONE;
	rec->sem_set = 0;
	if (has_field(struct task_struct___sysvipc, sysvsem))
		undos = (u64)field_of(run.task, struct task_struct___sysvipc, sysvsem.undo_list);
	rec->sysvsem_id = identity(undos);
	if (!undos)
		return;
	u64 head = inside(undos, struct sem_undo_list, list_proc);
	u64 first = (u64)field_of(head, struct list_head, next);
	if (!first || first == head)
		return;
	first -= bpf_core_field_offset(struct sem_undo, list_proc);
	rec->sem_undo = REC_SEM_UNDO_SOME;
	rec->sem_set = field_of(first, struct sem_undo, semid);
}

static __always_inline void fill_shared(struct rec_task *rec, u64 mm)
{
	rec->mm_id = identity(mm);
	rec->files_id = identity((u64)field_of(run.task, struct task_struct, files));
	rec->fs_id = identity((u64)field_of(run.task, struct task_struct, fs));
	rec->sighand_id = identity((u64)field_of(run.task, struct task_struct, sighand));
	fill_sysvsem(rec);
}

static __always_inline void fill_tty(struct raw_task *raw)
{
	u64 tty = (u64)field_of(run.signal, struct signal_struct, tty);
	u64 driver = (u64)field_of(tty, struct tty_struct, driver);

	raw->tty_dev = 0;
	raw->task.tty_pgrp = 0;
	if (!tty)
		return;
	raw->tty_dev = (u32)field_of(driver, struct tty_driver, major) << 20 |
		       ((u32)field_of(driver, struct tty_driver, minor_start) +
			(u32)field_of(tty, struct tty_struct, index));
	raw->task.tty_pgrp = pid_number((u64)field_of(tty, struct tty_struct, ctrl.pgrp));
}

static __always_inline u32 exit_code(u64 task)
{
	if (field_of(run.signal, struct signal_struct, flags) & SIGNAL_GROUP_EXIT)
		return field_of(run.signal, struct signal_struct, group_exit_code);
	return field_of(task, struct task_struct, exit_code);
}

static __always_inline u32 parent_number(u64 task)
{
	u64 parent = (u64)field_of(task, struct task_struct, real_parent);
	u64 signal = (u64)field_of(parent, struct task_struct, signal);

	return pid_number((u64)field_of(signal, struct signal_struct, pids[PIDTYPE_TGID]));
}

__noinline int emit_task(void)
{
	struct task_struct *task = (struct task_struct *)run.task;
	struct signal_struct *signal = (struct signal_struct *)run.signal;
	struct raw_task *raw = (struct raw_task *)record;
	struct rec_task *rec = &raw->task;
	u64 mm = (u64)BPF_CORE_READ(task, mm);

	raw->head.type = RAW_TASK;
	raw->head.target = run.target;
	raw->run_state = BPF_CORE_READ(task, __state);
	raw->exit_state = BPF_CORE_READ(task, exit_state);
	raw->pf_flags = BPF_CORE_READ(task, flags);
	raw->mm_flags = mm_flags_of(mm);
	raw->membarrier_state = ~0;
	if (has_field(struct mm_struct___membarrier, membarrier_state))
		raw->membarrier_state =
			field_of(mm, struct mm_struct___membarrier, membarrier_state.counter);
	raw->reserved = rec->reserved = 0;
	fill_tty(raw);
	rec->ppid = parent_number(run.task);
	rec->pgid = pid_number((u64)BPF_CORE_READ(signal, pids[PIDTYPE_PGID]));
	rec->sid = pid_number((u64)BPF_CORE_READ(signal, pids[PIDTYPE_SID]));
	rec->nr_threads = BPF_CORE_READ(signal, nr_threads);
	rec->exit_code = exit_code(run.task);
	rec->exit_signal = BPF_CORE_READ(task, exit_signal);
	rec->umask = BPF_CORE_READ(task, fs, umask);
	rec->personality = BPF_CORE_READ(task, personality);
	rec->oom_score_adj = BPF_CORE_READ(signal, oom_score_adj);
	rec->dumpable = task_dumpable(run.task, raw->mm_flags);
	rec->child_subreaper = BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper);
	rec->start_time = BPF_CORE_READ(task, start_boottime);
	fill_shared(rec, mm);
	fill_namespaces(rec);
	bpf_probe_read_kernel(rec->comm, sizeof(rec->comm), task->comm);
	return emit(sizeof(*raw));
}

/* ---- What is copied whole ---- */

static __always_inline int emit_limits(void)
{
	struct raw_limits *raw = (struct raw_limits *)record;

	raw->head.type = RAW_LIMITS;
	raw->head.target = run.target;
	bpf_probe_read_kernel(raw->limits.limit, sizeof(raw->limits.limit),
			      (const void *)inside(run.signal, struct signal_struct, rlim));
	return emit(sizeof(*raw));
}

static __always_inline int emit_sigactions(void)
{
	struct raw_sigactions *raw = (struct raw_sigactions *)record;
	u64 sighand = (u64)field_of(run.task, struct task_struct, sighand);

	raw->head.type = RAW_SIGACTIONS;
	raw->head.target = run.target;
	if (bpf_core_type_size(struct k_sigaction) != sizeof(raw->actions.action[0]))
		return 0;
	bpf_probe_read_kernel(raw->actions.action, sizeof(raw->actions.action),
			      (const void *)inside(sighand, struct sighand_struct, action));
	return emit(sizeof(*raw));
}

/* ---- Timers ---- */

static __always_inline void fill_now(struct raw_now *now)
{
	now->monotonic = bpf_ktime_get_ns();
	now->boottime = bpf_ktime_get_boot_ns();
}

static __always_inline void fill_group_time(struct raw_cpu_time *time)
{
	struct signal_struct *signal = (struct signal_struct *)run.signal;

	time->utime = BPF_CORE_READ(signal, cputimer.cputime_atomic.utime.counter);
	time->stime = BPF_CORE_READ(signal, cputimer.cputime_atomic.stime.counter);
	time->sum_exec = BPF_CORE_READ(signal, cputimer.cputime_atomic.sum_exec_runtime.counter);
}

static __always_inline int emit_itimers(void)
{
	struct raw_itimers *raw = (struct raw_itimers *)record;
	struct signal_struct *signal = (struct signal_struct *)run.signal;
	u64 real = inside(signal, struct signal_struct, real_timer);

	raw->head.type = RAW_ITIMERS;
	raw->head.target = run.target;
	fill_now(&raw->now);
	fill_group_time(&raw->group);
	raw->real_expires = field_of(real, struct hrtimer, node.expires);
	raw->real_interval = BPF_CORE_READ(signal, it_real_incr);
	raw->real_active = hrtimer_is_queued(real);
	raw->reserved = 0;
	raw->cpu[0].expires = BPF_CORE_READ(signal, it[0].expires);
	raw->cpu[0].incr = BPF_CORE_READ(signal, it[0].incr);
	raw->cpu[1].expires = BPF_CORE_READ(signal, it[1].expires);
	raw->cpu[1].incr = BPF_CORE_READ(signal, it[1].incr);
	return emit(sizeof(*raw));
}

/* CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM; CLOCK_*_CPUTIME_ID and those of other tasks */
static __always_inline bool is_alarm_clock(int clock)
{
	return clock == 8 || clock == 9;
}

static __always_inline bool is_cpu_clock(int clock)
{
	return clock < 0 || clock == 2 || clock == 3;
}

static __always_inline void fill_expiry(struct raw_ptimer *raw, struct k_itimer *timer)
{
	int clock = raw->timer.clock;

	raw->base_clock = clock;
	__builtin_memset(&raw->thread, 0, sizeof(raw->thread));
	if (is_cpu_clock(clock)) {
		u64 pid = (u64)BPF_CORE_READ(timer, it.cpu.pid);
		u64 link = (u64)field_of(pid, struct pid, tasks[0].first);

		raw->expires = BPF_CORE_READ(timer, it.cpu.node.expires);
		if (!link)
			return;
		u64 task = link - bpf_core_field_offset(struct task_struct, pid_links);
		raw->thread.utime = field_of(task, struct task_struct, utime);
		raw->thread.stime = field_of(task, struct task_struct, stime);
		raw->thread.sum_exec = field_of(task, struct task_struct, se.sum_exec_runtime);
	} else if (is_alarm_clock(clock)) {
		raw->expires = BPF_CORE_READ(timer, it.alarm.alarmtimer.node.expires);
	} else {
		raw->expires = BPF_CORE_READ(timer, it.real.timer.node.expires);
		raw->base_clock = BPF_CORE_READ(timer, it.real.timer.base, clockid);
	}
}

__noinline int emit_ptimer(u64 at)
{
	struct raw_ptimer *raw = (struct raw_ptimer *)record;
	struct k_itimer *timer = (struct k_itimer *)at;
	u64 info = ptimer_siginfo(at);

	raw->head.type = RAW_PTIMER;
	raw->head.target = run.target;
	fill_now(&raw->now);
	fill_group_time(&raw->group);
	raw->timer.id = BPF_CORE_READ(timer, it_id);
	raw->timer.clock = BPF_CORE_READ(timer, it_clock);
	raw->timer.notify = BPF_CORE_READ(timer, it_sigev_notify);
	raw->timer.notify_tid = pid_number((u64)BPF_CORE_READ(timer, it_pid));
	raw->timer.overrun = BPF_CORE_READ(timer, it_overrun_last);
	raw->missed = BPF_CORE_READ(timer, it_overrun);
	raw->timer.interval_ns = BPF_CORE_READ(timer, it_interval);
	/* struct siginfo as include/uapi/asm-generic/siginfo.h has it for 64 bits */
	bpf_probe_read_kernel(&raw->timer.signo, sizeof(u32), (const void *)info);
	bpf_probe_read_kernel(&raw->timer.sigval, sizeof(u64), (const void *)(info + 24));
	raw->status = ptimer_status(at);
	fill_expiry(raw, timer);
	return emit(sizeof(*raw));
}

static int each_ptimer(u32 i, void *unused)
{
	if (!timers.node || timers.node == timers.head)
		return 1;
	if (timers.done >= MAX_TIMERS) {
		timers.error = -ELOOP;
		return 1;
	}
	u64 timer = timers.node - bpf_core_field_offset(struct k_itimer, list);
	if (field_of(timer, struct k_itimer, it_signal)) { /* else it is about to go */
		if (timers.done >= timers.skip) {
			if (emit_ptimer(timer))
				return 1;
			run.pos++;
		}
		timers.done++;
	}
	/* it is the first member of either kind of list */
	timers.node = (u64)field_of(timers.node, struct hlist_node, next);
	list_cursor_set(&timers.cursor, timers.done, timers.node);
	return time_is_up();
}

static __always_inline int emit_ptimers(void)
{
	timers.head = inside(run.signal, struct signal_struct, posix_timers);
	timers.node = (u64)field_of(timers.head, struct hlist_head, first);
	timers.skip = run.pos;
	timers.done = 0;
	timers.error = 0;
	if (list_cursor_get(&timers.cursor, timers.skip, &timers.node))
		timers.done = timers.skip;
	bpf_loop(MAX_TIMERS, each_ptimer, NULL, 0);
	return run.stopped ? -EAGAIN : 0;
}

/* ---- Paths ---- */

__noinline int emit_path(u32 which)
{
	struct raw_path *raw = (struct raw_path *)record;
	u64 fs = (u64)field_of(run.task, struct task_struct, fs);
	int ret;

	if (which == REC_PATH_EXE) {
		u64 file = (u64)field_of(run.task, struct task_struct, mm, exe_file);

		if (!file)
			return 0;
		ret = file_describe(0, 0, file);
	} else if (which == REC_PATH_CWD) {
		ret = file_describe((u64)field_of(fs, struct fs_struct, pwd.mnt),
				    (u64)field_of(fs, struct fs_struct, pwd.dentry), 0);
	} else {
		ret = file_describe((u64)field_of(fs, struct fs_struct, root.mnt),
				    (u64)field_of(fs, struct fs_struct, root.dentry), 0);
	}
	if (ret)
		return ret;
	raw->head.type = RAW_PATH;
	raw->head.target = run.target;
	raw->which = which;
	raw->reserved = 0;
	raw->file = described.raw;
	__builtin_memcpy(raw->name, described.name, 256);
	return emit(sizeof(*raw) + (described.raw.name_len & 255));
}

/* ---- Stages ---- */

static __always_inline int do_stage(u32 stage)
{
	switch (stage) {
	case STAGE_TASK: return emit_task();
	case STAGE_LIMITS: return emit_limits();
	case STAGE_SIGACTIONS: return emit_sigactions();
	case STAGE_ITIMERS: return emit_itimers();
	case STAGE_CWD: return emit_path(REC_PATH_CWD);
	case STAGE_ROOT: return emit_path(REC_PATH_ROOT);
	case STAGE_EXE: return emit_path(REC_PATH_EXE);
	default: return emit_ptimers();
	}
}

static int each_stage(u32 i, void *unused)
{
	u32 stage = run.pos >> STAGE_SHIFT;

	if (stage >= STAGE_END)
		return 1;
	if (do_stage(stage))
		return 1;
	run.pos = (u64)(stage + 1) << STAGE_SHIFT;
	/* zombies have nothing left */
	if (field_of(run.task, struct task_struct, exit_state) & (EXIT_ZOMBIE | EXIT_DEAD))
		run.pos = (u64)STAGE_END << STAGE_SHIFT;
	return time_is_up();
}

static int each_task(u32 i, void *unused)
{
	if (run.target >= run.nr_targets || run.stopped)
		return 1;
	int ret = target_find();
	if (ret)
		return emit_end(ret, 0) != 0;
	timers.error = 0;
	bpf_loop(STAGE_END + 1, each_stage, NULL, 0);
	if (run.stopped)
		return 1;
	return emit_end(timers.error, 1) != 0;
}

__noinline int collect_tasks(void)
{
	bpf_loop(RUN_MAX_TARGETS, each_task, NULL, 0);
	return 0;
}
