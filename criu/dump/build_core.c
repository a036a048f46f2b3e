// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages of tasks and threads from gathered records. Field for field; units are the image's.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>

#include "arch/arch.h"
#include "dump/build_core.h"

enum { USEC_PER_SEC = 1000000, NSEC_PER_SEC = 1000000000 };

static int missing(struct err *err, pid_t tid, const char *what)
{
	return err_set(err, -EBADMSG, "task %d: no engine told its %s", tid, what);
}

static uint32_t *cap_words(struct snapshot *snap, __u64 caps)
{
	uint32_t *words = ARENA_ARRAY(&snap->arena, uint32_t, 2);

	words[0] = (uint32_t)caps;
	words[1] = (uint32_t)(caps >> 32);
	return words;
}

static CredsEntry *creds_of(struct snapshot *snap, const struct gathered_thread *from)
{
	CredsEntry *creds = SNAP_MSG(snap, CredsEntry, creds_entry);
	const struct rec_thread *rec = &from->rec;

	creds->uid = rec->uid;
	creds->euid = rec->euid;
	creds->suid = rec->suid;
	creds->fsuid = rec->fsuid;
	creds->gid = rec->gid;
	creds->egid = rec->egid;
	creds->sgid = rec->sgid;
	creds->fsgid = rec->fsgid;
	creds->n_cap_inh = creds->n_cap_prm = creds->n_cap_eff = 2;
	creds->n_cap_bnd = creds->n_cap_amb = 2;
	creds->cap_inh = cap_words(snap, rec->cap_inh);
	creds->cap_prm = cap_words(snap, rec->cap_prm);
	creds->cap_eff = cap_words(snap, rec->cap_eff);
	creds->cap_bnd = cap_words(snap, rec->cap_bnd);
	creds->cap_amb = cap_words(snap, rec->cap_amb);
	creds->secbits = rec->securebits;
	creds->n_groups = rec->nr_groups;
	creds->groups = arena_memdup(&snap->arena, from->groups, 4 * rec->nr_groups);
	creds->has_no_new_privs = true;
	creds->no_new_privs = rec->no_new_privs;
	return creds;
}

static ThreadSasEntry *sas_of(struct snapshot *snap, const struct rec_thread *rec)
{
	ThreadSasEntry *sas = SNAP_MSG(snap, ThreadSasEntry, thread_sas_entry);

	sas->ss_sp = rec->sas_sp;
	sas->ss_size = rec->sas_size;
	sas->ss_flags = rec->sas_flags;
	return sas;
}

static void fill_sched(struct snapshot *snap, ThreadCoreEntry *tc,
		       const struct gathered_thread *from)
{
	const struct rec_thread *rec = &from->rec;

	tc->has_sched_policy = tc->has_sched_nice = tc->has_sched_prio = true;
	tc->sched_policy = rec->sched_policy;
	if (rec->sched_flags & SCHED_FLAG_RESET_ON_FORK)
		tc->sched_policy |= SCHED_RESET_ON_FORK; /* as sched_getscheduler(2) has it */
	tc->sched_nice = rec->nice;
	tc->sched_prio = rec->sched_prio;
	if (rec->sched_flags)
		tc->has_sched_flags = true, tc->sched_flags = rec->sched_flags;
	if (rec->sched_period) {
		tc->has_sched_runtime = tc->has_sched_deadline = tc->has_sched_period = true;
		tc->sched_runtime = rec->sched_runtime;
		tc->sched_deadline = rec->sched_deadline;
		tc->sched_period = rec->sched_period;
	}
	if (rec->hdr.valid & RV_THREAD_AFFINITY) {
		tc->n_cpu_mask = rec->nr_cpu_words;
		tc->cpu_mask = arena_memdup(&snap->arena, from->cpu_words, 4 * rec->nr_cpu_words);
	}
	if (rec->hdr.valid & RV_THREAD_SLACK) {
		tc->has_timerslack_ns = true;
		tc->timerslack_ns = rec->timerslack_ns;
	}
}

static int check_thread(const struct gathered_thread *thread, pid_t tid, struct err *err)
{
	static const struct {
		__u64 bit;
		const char *what;
	} needed[] = {
		{ RV_THREAD_STAT, "name" },
		{ RV_THREAD_SCHED, "scheduling policy" },
		{ RV_THREAD_CREDS, "credentials" },
		{ RV_THREAD_SECUREBITS, "securebits" },
		{ RV_THREAD_SECCOMP, "seccomp mode" },
		{ RV_THREAD_SAS, "alternate stack" },
		{ RV_THREAD_CTID, "clear_child_tid" },
		{ RV_THREAD_PDEATH, "parent death signal" },
	};

	if (!thread)
		return missing(err, tid, "thread state");
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!(thread->rec.hdr.valid & needed[i].bit))
			return missing(err, tid, needed[i].what);
	return 0;
}

static ThreadCoreEntry *thread_core_of(struct snapshot *snap, const struct gathered_thread *from)
{
	ThreadCoreEntry *tc = SNAP_MSG(snap, ThreadCoreEntry, thread_core_entry);
	const struct rec_thread *rec = &from->rec;

	tc->futex_rla = rec->robust_list;
	tc->futex_rla_len = rec->robust_list_len;
	fill_sched(snap, tc, from);
	tc->sas = sas_of(snap, rec);
	tc->has_pdeath_sig = true;
	tc->pdeath_sig = rec->pdeath_sig;
	tc->creds = creds_of(snap, from);
	tc->has_seccomp_mode = true;
	tc->seccomp_mode = (SeccompMode)rec->seccomp_mode;
	tc->comm = arena_strndup(&snap->arena, rec->comm, strnlen(rec->comm, sizeof(rec->comm)));
	if (rec->hdr.valid & RV_THREAD_RESTART) {
		tc->has_restart_remaining_ns = true;
		tc->restart_remaining_ns = rec->restart_remaining_ns;
	}
	return tc;
}

static ItimerEntry *itimer_of(struct snapshot *snap, const struct rec_itimers *rec, int which)
{
	ItimerEntry *timer = SNAP_MSG(snap, ItimerEntry, itimer_entry);

	timer->isec = rec->timer[which].interval_us / USEC_PER_SEC;
	timer->iusec = rec->timer[which].interval_us % USEC_PER_SEC;
	timer->vsec = rec->timer[which].value_us / USEC_PER_SEC;
	timer->vusec = rec->timer[which].value_us % USEC_PER_SEC;
	return timer;
}

static PosixTimerEntry *ptimer_of(struct snapshot *snap, const struct rec_ptimer *rec)
{
	PosixTimerEntry *timer = SNAP_MSG(snap, PosixTimerEntry, posix_timer_entry);

	timer->it_id = rec->id;
	timer->clock_id = (uint32_t)rec->clock;
	timer->si_signo = rec->signo;
	timer->it_sigev_notify = rec->notify;
	timer->sival_ptr = rec->sigval;
	timer->overrun = rec->overrun;
	timer->isec = rec->interval_ns / NSEC_PER_SEC;
	timer->insec = rec->interval_ns % NSEC_PER_SEC;
	timer->vsec = rec->value_ns / NSEC_PER_SEC;
	timer->vnsec = rec->value_ns % NSEC_PER_SEC;
	timer->has_notify_thread_id = rec->notify_tid != 0;
	timer->notify_thread_id = (int32_t)rec->notify_tid;
	return timer;
}

static TaskTimersEntry *timers_of(struct snapshot *snap, const struct gathered_task *from)
{
	TaskTimersEntry *timers = SNAP_MSG(snap, TaskTimersEntry, task_timers_entry);

	timers->real = itimer_of(snap, from->itimers, 0);
	timers->virt = itimer_of(snap, from->itimers, 1);
	timers->prof = itimer_of(snap, from->itimers, 2);
	timers->n_posix = from->ptimers.n;
	timers->posix = ARENA_ARRAY(&snap->arena, PosixTimerEntry *, from->ptimers.n);
	for (size_t i = 0; i < from->ptimers.n; i++)
		timers->posix[i] = ptimer_of(snap, from->ptimers.v[i]);
	return timers;
}

static TaskRlimitsEntry *rlimits_of(struct snapshot *snap, const struct rec_limits *rec)
{
	TaskRlimitsEntry *limits = SNAP_MSG(snap, TaskRlimitsEntry, task_rlimits_entry);

	limits->n_rlimits = REC_NR_LIMITS;
	limits->rlimits = ARENA_ARRAY(&snap->arena, RlimitEntry *, REC_NR_LIMITS);
	for (int i = 0; i < REC_NR_LIMITS; i++) {
		limits->rlimits[i] = SNAP_MSG(snap, RlimitEntry, rlimit_entry);
		limits->rlimits[i]->cur = rec->limit[i].cur;
		limits->rlimits[i]->max = rec->limit[i].max;
	}
	return limits;
}

/* As criu has them: signals 1 .. 64 in order, without SIGKILL and SIGSTOP. */
static void fill_sigactions(struct snapshot *snap, TaskCoreEntry *tc,
			    const struct rec_sigactions *rec)
{
	tc->sigactions = ARENA_ARRAY(&snap->arena, SaEntry *, REC_NR_SIGNALS);
	for (int signo = 1; signo <= REC_NR_SIGNALS; signo++) {
		if (signo == SIGKILL || signo == SIGSTOP)
			continue;
		SaEntry *sa = SNAP_MSG(snap, SaEntry, sa_entry);
		sa->sigaction = rec->action[signo - 1].handler;
		sa->flags = rec->action[signo - 1].flags;
		sa->restorer = rec->action[signo - 1].restorer;
		sa->mask = rec->action[signo - 1].mask;
		tc->sigactions[tc->n_sigactions++] = sa;
	}
}

static TaskCoreEntry *empty_task_core(struct snapshot *snap, const struct task *task,
				      const struct gathered_task *from)
{
	TaskCoreEntry *tc = SNAP_MSG(snap, TaskCoreEntry, task_core_entry);

	tc->task_state = task->state;
	tc->exit_code = task->state == TASK_STATE_DEAD ? from->rec.exit_code : 0;
	tc->comm = arena_strndup(&snap->arena, from->rec.comm,
				 strnlen(from->rec.comm, sizeof(from->rec.comm)));
	if (from->rec.exit_signal != SIGCHLD) {
		tc->has_exit_signal = true;
		tc->exit_signal = from->rec.exit_signal;
	}
	return tc;
}

static int fill_task_core(struct snapshot *snap, TaskCoreEntry *tc,
			  const struct frozen_task *frozen, const struct gathered_task *from,
			  struct err *err)
{
	const struct rec_task *rec = &from->rec;

	if (!from->limits)
		return missing(err, from->pid, "resource limits");
	if (!from->sigactions)
		return missing(err, from->pid, "signal actions");
	if (!from->itimers)
		return missing(err, from->pid, "interval timers");
	tc->personality = rec->personality;
	tc->timers = timers_of(snap, from);
	tc->rlimits = rlimits_of(snap, from->limits);
	fill_sigactions(snap, tc, from->sigactions);
	tc->has_oom_score_adj = rec->hdr.valid & RV_TASK_OOM;
	tc->oom_score_adj = rec->oom_score_adj;
	tc->has_child_subreaper = true;
	tc->child_subreaper = rec->child_subreaper;
	tc->has_membarrier_registration_mask = rec->membarrier != 0;
	tc->membarrier_registration_mask = rec->membarrier;
	tc->has_stop_signo = frozen->stop_signo != 0;
	tc->stop_signo = (uint32_t)frozen->stop_signo;
	return 0;
}

/* One namespace of each type exists for the whole tree: numbered as criu does when it is so. */
static TaskKobjIdsEntry *ids_of(struct snapshot *snap, const struct task *task)
{
	TaskKobjIdsEntry *ids = SNAP_MSG(snap, TaskKobjIdsEntry, task_kobj_ids_entry);

	ids->vm_id = task->mm->id;
	ids->files_id = task->fdt->id;
	ids->fs_id = task->fs->id;
	ids->sighand_id = task->mm->id;
	ids->has_pid_ns_id = ids->has_net_ns_id = ids->has_ipc_ns_id = ids->has_uts_ns_id = true;
	ids->has_mnt_ns_id = ids->has_user_ns_id = ids->has_cgroup_ns_id = true;
	ids->has_time_ns_id = true;
	ids->pid_ns_id = 1;
	ids->net_ns_id = 2;
	ids->ipc_ns_id = 3;
	ids->uts_ns_id = 4;
	ids->time_ns_id = 5;
	ids->mnt_ns_id = 6;
	ids->user_ns_id = 7;
	ids->cgroup_ns_id = 8;
	return ids;
}

int build_threads(struct snapshot *snap, struct task *task, const struct frozen_task *frozen,
		  const struct gather *gather, struct err *err)
{
	const struct gathered_task *from = gather_find(gather, task->pid);

	for (size_t i = 0; i < frozen->threads.n; i++) {
		struct thread *thread = array_push(&snap->arena, &task->threads);
		int ret;

		thread->tid = frozen->threads.v[i].tid;
		thread->task = task;
		thread->core = SNAP_MSG(snap, CoreEntry, core_entry);
		thread->core->mtype = arch_march;
		if (i == 0)
			thread->core->tc = empty_task_core(snap, task, from);
		if (frozen->zombie)
			continue;
		const struct gathered_thread *rec =
			gather_find_thread(gather, task->pid, thread->tid);
		ret = check_thread(rec, thread->tid, err);
		if (ret < 0)
			return ret;
		thread->core->thread_core = thread_core_of(snap, rec);
		if (i)
			continue;
		thread->core->ids = ids_of(snap, task);
		ret = fill_task_core(snap, thread->core->tc, frozen, from, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int build_mm_entry(struct snapshot *snap, struct mm *mm, const struct gathered_task *from,
		   struct err *err)
{
	const struct rec_mm *rec = &from->mm;
	MmEntry *entry = SNAP_MSG(snap, MmEntry, mm_entry);

	mm->entry = entry;
	if (!(rec->hdr.valid & RV_MM_LAYOUT))
		return missing(err, from->pid, "memory layout");
	if (!(rec->hdr.valid & RV_MM_BRK))
		return missing(err, from->pid, "brk");
	entry->mm_start_code = rec->start_code;
	entry->mm_end_code = rec->end_code;
	entry->mm_start_data = rec->start_data;
	entry->mm_end_data = rec->end_data;
	entry->mm_start_stack = rec->start_stack;
	entry->mm_start_brk = rec->start_brk;
	entry->mm_brk = rec->brk;
	entry->mm_arg_start = rec->arg_start;
	entry->mm_arg_end = rec->arg_end;
	entry->mm_env_start = rec->env_start;
	entry->mm_env_end = rec->env_end;
	entry->n_mm_saved_auxv = rec->nr_auxv;
	entry->mm_saved_auxv = arena_memdup(&snap->arena, from->auxv, 8 * rec->nr_auxv);
	entry->has_dumpable = from->rec.hdr.valid & RV_TASK_DUMPABLE;
	entry->dumpable = (int32_t)from->rec.dumpable;
	entry->has_thp_disabled = from->rec.hdr.valid & RV_TASK_THP;
	entry->thp_disabled = from->rec.thp_disabled;
	return 0;
}
