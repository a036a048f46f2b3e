// SPDX-License-Identifier: GPL-2.0-only
/*
 * RG_THREAD: every thread of each target. run.pos is the number of threads that are done, in the
 * upper half, and of the groups of the next one that are, in chunks, in the lower.
 */
#include "compat.h"
#include "run.h"

#define MAX_THREADS              (1 << 22)

#define THREAD_SHIFT             32

#define DEFAULT_PRIO             120 /* include/linux/sched/prio.h */

#define SCHED_DEADLINE           6 /* include/uapi/linux/sched.h */
#define SCHED_FIFO               1
#define SCHED_RR                 2
#define SCHED_FLAG_RESET_ON_FORK 1
#define SCHED_FLAG_ALL           0x7f

struct thread_state {
	u64 head, node; /* of signal->thread_head */
	u64 task;       /* that is being read */
	u64 group_info;
	u32 skip, seen;
	u32 nr_groups;
	u32 limit; /* there are not more threads than that */
	struct list_cursor cursor;
};

struct thread_state threads;

static __always_inline u64 capabilities(u64 at)
{
	u64 caps = 0;

	/* two words or one, of the same bits, since Linux 6.3 */
	bpf_probe_read_kernel(&caps, sizeof(caps), (const void *)at);
	return caps;
}

static __always_inline u32 number_at(u64 at)
{
	u32 number = 0;

	bpf_probe_read_kernel(&number, sizeof(number), (const void *)at);
	return number;
}

#define cred_id(cred, member)   number_at(inside(cred, struct cred, member))
#define cred_caps(cred, member) capabilities(inside(cred, struct cred, member))

__noinline int fill_creds(void)
{
	struct raw_thread *raw = (struct raw_thread *)record;
	struct rec_thread *rec = &raw->thread;
	u64 cred = (u64)field_of(threads.task, struct task_struct, real_cred);

	rec->uid = cred_id(cred, uid);
	rec->euid = cred_id(cred, euid);
	rec->suid = cred_id(cred, suid);
	rec->fsuid = cred_id(cred, fsuid);
	rec->gid = cred_id(cred, gid);
	rec->egid = cred_id(cred, egid);
	rec->sgid = cred_id(cred, sgid);
	rec->fsgid = cred_id(cred, fsgid);
	rec->cap_inh = cred_caps(cred, cap_inheritable);
	rec->cap_prm = cred_caps(cred, cap_permitted);
	rec->cap_eff = cred_caps(cred, cap_effective);
	rec->cap_bnd = cred_caps(cred, cap_bset);
	rec->cap_amb = cred_caps(cred, cap_ambient);
	rec->securebits = field_of(cred, struct cred, securebits);
	threads.group_info = (u64)field_of(cred, struct cred, group_info);
	threads.nr_groups = field_of(threads.group_info, struct group_info, ngroups);
	rec->nr_groups = threads.nr_groups;
	return 0;
}

/* As kernel/sched/syscalls.c: sched_getattr(). */
__noinline int fill_sched(void)
{
	struct raw_thread *raw = (struct raw_thread *)record;
	struct rec_thread *rec = &raw->thread;
	struct task_struct *task = (struct task_struct *)threads.task;
	u32 policy = BPF_CORE_READ(task, policy);

	rec->sched_policy = policy;
	rec->nice = BPF_CORE_READ(task, static_prio) - DEFAULT_PRIO;
	rec->sched_prio = 0;
	rec->sched_runtime = rec->sched_deadline = rec->sched_period = 0;
	rec->sched_flags = BPF_CORE_READ_BITFIELD_PROBED(task, sched_reset_on_fork) ?
				   SCHED_FLAG_RESET_ON_FORK :
				   0;
	if (policy == SCHED_DEADLINE) {
		rec->sched_prio = BPF_CORE_READ(task, rt_priority);
		rec->sched_runtime = BPF_CORE_READ(task, dl.dl_runtime);
		rec->sched_deadline = BPF_CORE_READ(task, dl.dl_deadline);
		rec->sched_period = BPF_CORE_READ(task, dl.dl_period);
		rec->sched_flags |= BPF_CORE_READ(task, dl.flags) & SCHED_FLAG_ALL;
	} else if (policy == SCHED_FIFO || policy == SCHED_RR) {
		rec->sched_prio = BPF_CORE_READ(task, rt_priority);
	} else {
		rec->sched_runtime = task_slice(threads.task);
	}
	return 0;
}

__noinline int fill_rest(void)
{
	struct raw_thread *raw = (struct raw_thread *)record;
	struct rec_thread *rec = &raw->thread;
	struct task_struct *task = (struct task_struct *)threads.task;

	bpf_probe_read_kernel(rec->comm, sizeof(rec->comm), task->comm);
	rec->timerslack_ns = BPF_CORE_READ(task, timer_slack_ns);
	rec->seccomp_mode = rec->seccomp_filters = 0;
	if (has_field(struct task_struct___seccomp, seccomp)) {
		struct task_struct___seccomp *with = (void *)task;

		rec->seccomp_mode = BPF_CORE_READ(with, seccomp.mode);
		rec->seccomp_filters = BPF_CORE_READ(with, seccomp.filter_count.counter);
	}
	rec->robust_list = task_robust_list(threads.task);
	rec->sas_sp = BPF_CORE_READ(task, sas_ss_sp);
	rec->sas_size = BPF_CORE_READ(task, sas_ss_size);
	rec->sas_flags = BPF_CORE_READ(task, sas_ss_flags);
	rec->clear_child_tid = (u64)BPF_CORE_READ(task, clear_child_tid);
	rec->pdeath_sig = BPF_CORE_READ(task, pdeath_signal);
	bpf_probe_read_kernel(&raw->restart, sizeof(raw->restart),
			      (const void *)(inside(task, struct task_struct, restart_block) +
					     bpf_core_field_offset(struct restart_block, futex)));
	raw->now.monotonic = bpf_ktime_get_ns();
	raw->now.boottime = bpf_ktime_get_boot_ns();
	raw->atomic_flags = BPF_CORE_READ(task, atomic_flags);
	raw->run_state = BPF_CORE_READ(task, __state);
	raw->exit_state = BPF_CORE_READ(task, exit_state);
	return 0;
}

static __always_inline u64 gid_address(u32 n)
{
	return inside(threads.group_info, struct group_info, gid) + (u64)n * sizeof(u32);
}

/* The rest of many groups, behind the thread. */
__noinline int emit_groups(u32 from)
{
	struct raw_groups *raw = (struct raw_groups *)record;
	u32 n = threads.nr_groups - from;

	if (n > RAW_GROUPS_CHUNK)
		n = RAW_GROUPS_CHUNK;
	raw->head.type = RAW_GROUPS;
	raw->head.target = run.target;
	raw->n = n;
	raw->reserved = 0;
	run.ticks += 8;
	bpf_probe_read_kernel(raw->gid, n * 4 & (RECORD_MAX - 1), (const void *)gid_address(from));
	return emit(sizeof(*raw) + n * 4);
}

__noinline int emit_thread(void)
{
	struct raw_thread *raw = (struct raw_thread *)record;
	struct rec_thread *rec = &raw->thread;
	u32 cpu_bytes = control.cpu_bytes & (2 * RAW_MAX_CPU_BYTES - 1);

	raw->head.type = RAW_THREAD;
	raw->head.target = run.target;
	run.ticks += 8;
	rec->hdr.tid = pid_number((u64)field_of(threads.task, struct task_struct, thread_pid));
	fill_creds();
	fill_sched();
	fill_rest();
	raw->cpu_bytes = cpu_bytes;
	bpf_probe_read_kernel(rec->tail, cpu_bytes,
			      (const void *)field_of(threads.task, struct task_struct, cpus_ptr));
	raw->groups_here =
		threads.nr_groups < RAW_GROUPS_CHUNK ? threads.nr_groups : RAW_GROUPS_CHUNK;
	char *groups = (char *)rec->tail + cpu_bytes;
	u32 bytes = raw->groups_here * 4 & (RECORD_MAX - 1);
	bpf_probe_read_kernel(groups, bytes, (const void *)gid_address(0));
	return emit(sizeof(*raw) + cpu_bytes + bytes);
}

/* One record: the thread, or more of its groups. */
static int each_piece(u32 i, void *unused)
{
	u32 chunk = (u32)run.pos;

	if (chunk && chunk * RAW_GROUPS_CHUNK >= threads.nr_groups)
		return 1;
	if (!chunk ? emit_thread() : emit_groups(chunk * RAW_GROUPS_CHUNK))
		return 1;
	run.pos++;
	return 0;
}

static int each_thread(u32 i, void *unused)
{
	/* a list that changes meanwhile is not followed for ever: the count will tell */
	if (!threads.node || threads.node == threads.head || threads.seen > threads.limit)
		return 1;
	if (threads.seen >= threads.skip) {
		threads.task =
			threads.node - bpf_core_field_offset(struct task_struct, thread_node);
		if ((u32)run.pos) { /* a run before wrote the thread */
			u64 cred = (u64)field_of(threads.task, struct task_struct, real_cred);

			threads.group_info = (u64)field_of(cred, struct cred, group_info);
			threads.nr_groups =
				field_of(threads.group_info, struct group_info, ngroups);
		}
		bpf_loop(65536 / RAW_GROUPS_CHUNK + 2, each_piece, NULL, 0);
		if (run.stopped)
			return 1;
		run.pos = ((run.pos >> THREAD_SHIFT) + 1) << THREAD_SHIFT;
	}
	threads.seen++;
	threads.node = (u64)field_of(threads.node, struct list_head, next);
	list_cursor_set(&threads.cursor, threads.seen, threads.node);
	return time_is_up();
}

static int each_process(u32 i, void *unused)
{
	if (run.target >= run.nr_targets || run.stopped)
		return 1;
	int ret = target_find();
	if (ret)
		return emit_end(ret, 0) != 0;
	threads.head = inside(run.signal, struct signal_struct, thread_head);
	threads.node = (u64)field_of(threads.head, struct list_head, next);
	threads.skip = run.pos >> THREAD_SHIFT;
	threads.seen = 0;
	if (list_cursor_get(&threads.cursor, threads.skip, &threads.node))
		threads.seen = threads.skip;
	threads.limit = field_of(run.signal, struct signal_struct, nr_threads) + 1;
	bpf_loop(MAX_THREADS, each_thread, NULL, 0);
	if (run.stopped)
		return 1;
	return emit_end(0, field_of(run.signal, struct signal_struct, nr_threads)) != 0;
}

__noinline int collect_threads(void)
{
	bpf_loop(RUN_MAX_TARGETS, each_process, NULL, 0);
	return 0;
}
