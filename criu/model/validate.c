// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold of a snapshot, see snapshot_validate(): the tree, its threads and their messages.
 */
#include <errno.h>
#include <string.h>

#include "model/validate.h"

enum {
	COMM_MAX = 15,        /* bytes of a name, TASK_COMM_LEN without the NUL */
	LIMITS_MAX = 64,      /* RLIM_NLIMITS has room to grow */
	SIGACTIONS_MAX = 128, /* MIPS has so many signals */
	SIGINFO_SIZE = 128,
	CAP_WORDS_MAX = 2,
	GROUPS_MAX = 65536,    /* NGROUPS_MAX */
	CPU_WORDS_MAX = 2048,  /* 65536 cpus */
	FILTER_MAX = 4096 * 8, /* BPF_MAXINSNS of struct sock_filter */
	FILTERS_MAX = 16384,
};

int validate_unique(struct validate *v, enum validate_key key, uint64_t id, const void *object,
		    const char *what)
{
	if (hashmap_get(&v->seen, key, id))
		return err_set(v->err, -EBADMSG, "%s %llu is there twice", what,
			       (unsigned long long)id);
	hashmap_put(&v->seen, key, id, (void *)object);
	return 0;
}

/* One bound for the many counts of messages. */
static int check_count(struct validate *v, pid_t tid, const char *what, size_t n, size_t max)
{
	if (n <= max)
		return 0;
	return err_set(v->err, -EBADMSG, "thread %d: %zu %s, at most %zu are possible", tid, n,
		       what, max);
}

static int check_comm(struct validate *v, pid_t tid, const char *comm)
{
	return check_count(v, tid, "bytes of name", comm ? strlen(comm) : 0, COMM_MAX);
}

static int check_signals(struct validate *v, pid_t tid, const SignalQueueEntry *queue)
{
	for (size_t i = 0; queue && i < queue->n_signals; i++)
		if (queue->signals[i]->siginfo.len != SIGINFO_SIZE)
			return err_set(v->err, -EBADMSG,
				       "thread %d: a pending signal of %zu bytes "
				       "instead of %d",
				       tid, queue->signals[i]->siginfo.len, SIGINFO_SIZE);
	return 0;
}

static int check_creds(struct validate *v, pid_t tid, const CredsEntry *creds)
{
	const size_t words[] = { creds->n_cap_inh, creds->n_cap_prm, creds->n_cap_eff,
				 creds->n_cap_bnd, creds->n_cap_amb };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		int ret = check_count(v, tid, "words of capabilities", words[i], CAP_WORDS_MAX);

		if (ret < 0)
			return ret;
	}
	return check_count(v, tid, "groups", creds->n_groups, GROUPS_MAX);
}

static int check_filter(struct validate *v, pid_t tid, const ThreadCoreEntry *core)
{
	const SeccompEntry *seccomp = v->snap->seccomp;

	if (!core->has_seccomp_mode || core->seccomp_mode != SECCOMP_MODE__filter)
		return 0;
	if (seccomp && core->has_seccomp_filter &&
	    core->seccomp_filter < seccomp->n_seccomp_filters)
		return 0;
	return err_set(v->err, -EBADMSG, "thread %d: seccomp filter %u is not there", tid,
		       core->seccomp_filter);
}

static int check_thread_core(struct validate *v, pid_t tid, const ThreadCoreEntry *core)
{
	int ret = check_comm(v, tid, core->comm);

	if (ret == 0)
		ret = check_signals(v, tid, core->signals_p);
	if (ret == 0 && core->creds)
		ret = check_creds(v, tid, core->creds);
	if (ret == 0)
		ret = check_count(v, tid, "words of cpus", core->n_cpu_mask, CPU_WORDS_MAX);
	return ret < 0 ? ret : check_filter(v, tid, core);
}

static int check_thread(struct validate *v, const struct task *task, const struct thread *thread)
{
	const struct task *root = v->snap->tasks.v[0];
	int ret = validate_unique(v, SEEN_TID, (uint64_t)thread->tid, thread, "task or thread");

	if (ret < 0)
		return ret;
	if (thread->tid <= 0 || !thread->core)
		return err_set(v->err, -EBADMSG, "task %d: nothing is known of thread %d",
			       task->pid, thread->tid);
	if (thread->core->mtype != root->threads.v[0].core->mtype)
		return err_set(v->err, -EBADMSG, "thread %d is of another machine than task %d",
			       thread->tid, root->pid);
	if (task->state == TASK_STATE_DEAD)
		return 0;
	if (!thread->core->thread_core)
		return err_set(v->err, -EBADMSG, "thread %d has no state", thread->tid);
	return check_thread_core(v, thread->tid, thread->core->thread_core);
}

static int check_process(struct validate *v, const struct task *task, const TaskCoreEntry *tc)
{
	int ret = check_comm(v, task->pid, tc->comm);

	if (ret == 0)
		ret = check_signals(v, task->pid, tc->signals_s);
	if (ret == 0)
		ret = check_count(v, task->pid, "signal actions", tc->n_sigactions, SIGACTIONS_MAX);
	if (ret == 0 && tc->rlimits)
		ret = check_count(v, task->pid, "limits", tc->rlimits->n_rlimits, LIMITS_MAX);
	if (ret == 0 && tc->task_state != (uint32_t)task->state)
		ret = err_set(v->err, -EBADMSG, "task %d: its state is %d and %u", task->pid,
			      (int)task->state, tc->task_state);
	return ret;
}

/* The numbers that a task names its objects by are those of the objects it has. */
static int check_links(struct validate *v, const struct task *task)
{
	const TaskKobjIdsEntry *ids = task->threads.v[0].core->ids;

	if (task->state == TASK_STATE_DEAD)
		return 0;
	if (!ids || !task->mm || !task->fdt || !task->fs)
		return err_set(v->err, -EBADMSG,
			       "task %d: its memory, descriptors or folders are "
			       "not there",
			       task->pid);
	if (ids->vm_id != task->mm->id || ids->files_id != task->fdt->id ||
	    ids->fs_id != task->fs->id)
		return err_set(v->err, -EBADMSG,
			       "task %d: memory %u, descriptors %u, folders %u are "
			       "not those it has",
			       task->pid, ids->vm_id, ids->files_id, ids->fs_id);
	if (!task->fs->entry || !validate_has_file(v, task->fs->cwd) ||
	    !validate_has_file(v, task->fs->root))
		return err_set(v->err, -EBADMSG,
			       "task %d: its working or root directory is not "
			       "there",
			       task->pid);
	return 0;
}

static int check_task(struct validate *v, const struct task *task)
{
	if (!task->threads.n || task->threads.v[0].tid != task->pid || !task->threads.v[0].core ||
	    !task->threads.v[0].core->tc)
		return err_set(v->err, -EBADMSG, "task %d: nothing is known of its first thread",
			       task->pid);
	array_each(const struct thread, thread, &task->threads) {
		int ret = check_thread(v, task, thread);

		if (ret < 0)
			return ret;
	}
	int ret = check_process(v, task, task->threads.v[0].core->tc);
	return ret < 0 ? ret : check_links(v, task);
}

static int check_tree(struct validate *v)
{
	const struct snapshot *snap = v->snap;

	if (!snap->tasks.n)
		return err_set(v->err, -EBADMSG, "there is no task");
	for (size_t i = 0; i < snap->tasks.n; i++) {
		const struct task *task = snap->tasks.v[i];

		if (task->index != i || !task->parent != !i || (i && task->parent->index >= i))
			return err_set(v->err, -EBADMSG, "task %d does not stand behind its parent",
				       task->pid);
		if (task->pgid < 0 || task->sid < 0)
			return err_set(v->err, -EBADMSG, "task %d: group %d, session %d", task->pid,
				       task->pgid, task->sid);
		int ret = check_task(v, task);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Follows the chain from @first; no longer than there are filters, or it is a ring. */
static int check_chain(struct validate *v, const SeccompEntry *seccomp, size_t first)
{
	size_t at = first;

	for (size_t i = 0; i < seccomp->n_seccomp_filters; i++) {
		const SeccompFilter *filter = seccomp->seccomp_filters[at];

		if (!filter->has_prev)
			return 0;
		if (filter->prev >= seccomp->n_seccomp_filters)
			break;
		/* The usual order: what it leads to has been followed already. */
		if (filter->prev < first)
			return 0;
		at = filter->prev;
	}
	return err_set(v->err, -EBADMSG, "seccomp filter %zu: the chain from it does not end",
		       first);
}

static int check_seccomp(struct validate *v)
{
	const SeccompEntry *seccomp = v->snap->seccomp;

	if (seccomp && seccomp->n_seccomp_filters > FILTERS_MAX)
		return err_set(v->err, -EBADMSG, "%zu seccomp filters, at most %d are possible",
			       seccomp->n_seccomp_filters, FILTERS_MAX);
	for (size_t i = 0; seccomp && i < seccomp->n_seccomp_filters; i++) {
		size_t len = seccomp->seccomp_filters[i]->filter.len;

		if (!len || len % 8 || len > FILTER_MAX)
			return err_set(v->err, -EBADMSG, "seccomp filter %zu has %zu bytes", i,
				       len);
		int ret = check_chain(v, seccomp, i);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int check_all(struct validate *v)
{
	int ret = validate_files(v);

	if (ret == 0)
		ret = check_seccomp(v);
	if (ret == 0)
		ret = check_tree(v);
	if (ret == 0)
		ret = validate_locks(v);
	return ret < 0 ? ret : validate_memory(v);
}

int snapshot_validate(const struct snapshot *snap, struct err *err)
{
	struct validate v = { .snap = snap, .err = err };
	int ret = check_all(&v);

	hashmap_fini(&v.seen);
	return ret;
}
