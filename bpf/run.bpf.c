// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all programs share, see run.h: the state, the ring, and the way from a pidfd to its process.
 */
#include "run.h"

/* A run may not last long: it cannot be killed, and delays others who wait for its end. */
#define RUN_NS      2000000

#define PIDFS_MAGIC 0x50494446 /* include/uapi/linux/magic.h, since Linux 6.9 */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} ring SEC(".maps");

/* In a map of its own, that the engine maps into its memory. */
struct run_control control SEC(".data.control") = { 0 };

struct run_state run;
struct described_file described;
char record[RECORD_MAX + RECORD_SLACK];

__noinline int emit(u32 len)
{
	if (bpf_ringbuf_output(&ring, record, len & (RECORD_MAX - 1), BPF_RB_NO_WAKEUP) == 0)
		return 0;
	run.stopped = 1;
	return -EAGAIN;
}

__noinline int emit_end(s32 error, u32 expected)
{
	struct raw_end *end = (struct raw_end *)record;

	end->head.type = RAW_END;
	end->head.target = run.target;
	end->error = error;
	end->expected = expected;
	if (emit(sizeof(*end)))
		return -EAGAIN;
	run.target++;
	run.pos = 0;
	return 0;
}

__noinline u32 pid_number(u64 pid)
{
	if (!pid || field_of(pid, struct pid, level) < run.pid_level)
		return 0;
	u64 at = inside(pid, struct pid, numbers) +
		 (u64)run.pid_level * bpf_core_type_size(struct upid);
	if (field_of(at, struct upid, ns) != (struct pid_namespace *)run.pid_ns)
		return 0;
	return field_of(at, struct upid, nr);
}

__noinline int run_begin(u32 target, u32 nr_targets, u64 pos)
{
	struct task_struct *caller = (struct task_struct *)bpf_get_current_task();

	run.target = target;
	run.nr_targets = nr_targets < RUN_MAX_TARGETS ? nr_targets : RUN_MAX_TARGETS;
	run.pos = pos;
	run.stopped = 0;
	run.ticks = 0;
	run.deadline = bpf_ktime_get_ns() + RUN_NS;
	if (run.generation != control.generation) {
		run.generation = control.generation;
		run.next_dir = 1;
	}
	u64 pid = (u64)BPF_CORE_READ(caller, thread_pid);
	run.pid_level = field_of(pid, struct pid, level);
	run.pid_ns = (u64)field_of(inside(pid, struct pid, numbers) +
					   (u64)run.pid_level * bpf_core_type_size(struct upid),
				   struct upid, ns);
	run.root_mnt = (u64)BPF_CORE_READ(caller, fs, root.mnt);
	run.root_dentry = (u64)BPF_CORE_READ(caller, fs, root.dentry);
	return 0;
}

/* The struct pid of a pidfd of the caller's. */
static __always_inline u64 pid_of_pidfd(s32 pidfd)
{
	struct task_struct *caller = (struct task_struct *)bpf_get_current_task();
	struct fdtable *table = BPF_CORE_READ(caller, files, fdt);
	struct file **slots = BPF_CORE_READ(table, fd);
	struct file *file = NULL;

	if (pidfd < 0 || (u32)pidfd >= BPF_CORE_READ(table, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), slots + pidfd);
	if (!file)
		return 0;
	if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) == PIDFS_MAGIC)
		return (u64)BPF_CORE_READ(file, f_inode, i_private);
	return (u64)BPF_CORE_READ(file, private_data);
}

__noinline int target_find(void)
{
	struct run_target *target = &control.target[run.target % RUN_MAX_TARGETS];
	u64 pid = pid_of_pidfd(target->pidfd);

	run.task = run.signal = 0;
	/* A descriptor that is no pidfd leads to garbage, whose number is another one. */
	if (!pid || pid_number(pid) != target->pid)
		return -EBADF;
	u64 link = (u64)BPF_CORE_READ((struct pid *)pid, tasks[PIDTYPE_TGID].first);
	if (!link)
		return -ESRCH;
	run.task = link - bpf_core_field_offset(struct task_struct, pid_links) -
		   PIDTYPE_TGID * bpf_core_type_size(struct hlist_node);
	run.signal = (u64)field_of(run.task, struct task_struct, signal);
	return run.signal ? 0 : -ESRCH;
}

/* The one program: what all groups share is checked and loaded once. */
SEC("syscall")
int collect(volatile struct run_cursor *cursor)
{
	run_begin(cursor->target, cursor->nr_targets, cursor->pos);
	switch (cursor->group) {
	case RUN_TASKS: collect_tasks(); break;
	case RUN_THREADS: collect_threads(); break;
	case RUN_MM: collect_mm(); break;
	case RUN_FDS: collect_fds(); break;
	}
	cursor->target = run.target;
	cursor->pos = run.pos;
	cursor->status = run.target < run.nr_targets ? RUN_INTERRUPTED : RUN_DONE;
	return 0;
}

char _license[] SEC("license") = "GPL";
