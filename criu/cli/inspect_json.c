// SPDX-License-Identifier: GPL-2.0-only
/*
 * A snapshot as JSON for programs. Names of keys are promised: new ones may come, none goes.
 */
#include <string.h>

#include "cli/describe.h"
#include "cli/inspect_print.h"
#include "cli/json.h"

struct printer {
	const struct snapshot *snap;
	const struct inspect_opts *opts;
	struct json json;
	struct strbuf buf; /* scratch */
};

/* A string of @len bytes without a NUL. */
static void put_bytes(struct printer *p, const char *key, const char *str, size_t len)
{
	strbuf_reset(&p->buf);
	if (str)
		strbuf_add(&p->buf, str, len);
	json_str(&p->json, key, str ? strbuf_str(&p->buf) : NULL);
}

static void put_sigset(struct printer *p, const char *key, uint64_t mask)
{
	json_open(&p->json, key, '[');
	for (unsigned int signo = 1; signo <= 64; signo++) {
		if (!(mask >> (signo - 1) & 1))
			continue;
		strbuf_reset(&p->buf);
		describe_signal(&p->buf, signo);
		json_str(&p->json, NULL, strbuf_str(&p->buf));
	}
	json_close(&p->json);
}

static void put_caps(struct printer *p, const char *key, const uint32_t *words, size_t n)
{
	uint64_t low = n ? words[0] : 0;
	uint64_t high = n > 1 ? words[1] : 0;

	json_hex(&p->json, key, high << 32 | low);
}

static void put_creds(struct printer *p, const CredsEntry *creds)
{
	struct json *json = &p->json;

	json_open(json, "creds", '{');
	json_u64(json, "uid", creds->uid);
	json_u64(json, "euid", creds->euid);
	json_u64(json, "suid", creds->suid);
	json_u64(json, "fsuid", creds->fsuid);
	json_u64(json, "gid", creds->gid);
	json_u64(json, "egid", creds->egid);
	json_u64(json, "sgid", creds->sgid);
	json_u64(json, "fsgid", creds->fsgid);
	json_open(json, "groups", '[');
	for (size_t i = 0; i < creds->n_groups; i++)
		json_u64(json, NULL, creds->groups[i]);
	json_close(json);
	put_caps(p, "cap_inheritable", creds->cap_inh, creds->n_cap_inh);
	put_caps(p, "cap_permitted", creds->cap_prm, creds->n_cap_prm);
	put_caps(p, "cap_effective", creds->cap_eff, creds->n_cap_eff);
	put_caps(p, "cap_bounding", creds->cap_bnd, creds->n_cap_bnd);
	put_caps(p, "cap_ambient", creds->cap_amb, creds->n_cap_amb);
	json_hex(json, "securebits", creds->secbits);
	json_bool(json, "no_new_privs", creds->has_no_new_privs && creds->no_new_privs);
	json_close(json);
}

static void put_thread_core(struct printer *p, const ThreadCoreEntry *core)
{
	struct json *json = &p->json;
	static const char *const modes[] = { "disabled", "strict", "filter" };

	if (core->has_sched_policy)
		json_str(json, "sched_policy", describe_policy(core->sched_policy));
	if (core->has_sched_prio)
		json_u64(json, "sched_priority", core->sched_prio);
	if (core->has_sched_nice)
		json_i64(json, "nice", core->sched_nice);
	json_u64(json, "pending", core->signals_p ? core->signals_p->n_signals : 0);
	if (core->has_pdeath_sig && core->pdeath_sig)
		json_u64(json, "pdeath_signal", core->pdeath_sig);
	if (core->has_timerslack_ns)
		json_u64(json, "timer_slack_ns", core->timerslack_ns);
	if (core->has_seccomp_mode && core->seccomp_mode >= 0 && core->seccomp_mode <= 2)
		json_str(json, "seccomp", modes[core->seccomp_mode]);
	if (core->n_cpu_mask) {
		json_open(json, "cpus", '[');
		for (size_t i = 0; i < core->n_cpu_mask * 32; i++)
			if (core->cpu_mask[i / 32] >> i % 32 & 1)
				json_u64(json, NULL, i);
		json_close(json);
	}
	if (core->creds)
		put_creds(p, core->creds);
}

static void put_threads(struct printer *p, const struct task *task)
{
	struct json *json = &p->json;

	json_open(json, "threads", '[');
	array_each(const struct thread, thread, &task->threads) {
		const ThreadCoreEntry *core = thread->core ? thread->core->thread_core : NULL;

		json_open(json, NULL, '{');
		json_i64(json, "tid", thread->tid);
		if (core && core->comm)
			json_str(json, "comm", core->comm);
		put_sigset(p, "blocked", inspect_blocked(thread));
		if (core)
			put_thread_core(p, core);
		json_close(json);
	}
	json_close(json);
}

/* ---- What the process has ---- */

static void put_sigactions(struct printer *p, const TaskCoreEntry *tc)
{
	struct json *json = &p->json;

	json_open(json, "signal_actions", '[');
	for (size_t i = 0; i < tc->n_sigactions; i++) {
		const SaEntry *action = tc->sigactions[i];

		if (!action->sigaction && !action->flags && !action->mask)
			continue;
		json_open(json, NULL, '{');
		strbuf_reset(&p->buf);
		/* SIGKILL and SIGSTOP are left out */
		describe_signal(&p->buf, (unsigned int)(i + 1) + (i >= 8) + (i >= 17));
		json_str(json, "signal", strbuf_str(&p->buf));
		if (action->sigaction > 1)
			json_hex(json, "handler", action->sigaction);
		else
			json_str(json, "handler", action->sigaction ? "ignore" : "default");
		json_hex(json, "flags", action->flags);
		put_sigset(p, "mask", action->mask);
		json_close(json);
	}
	json_close(json);
}

static void put_itimer(struct printer *p, const char *name, const ItimerEntry *timer)
{
	struct json *json = &p->json;

	json_open(json, NULL, '{');
	json_str(json, "timer", name);
	json_bool(json, "armed", timer->vsec || timer->vusec);
	json_u64(json, "interval_us", timer->isec * 1000000 + timer->iusec);
	json_close(json);
}

static void put_posix_timer(struct printer *p, const PosixTimerEntry *timer)
{
	const char *clock = describe_clock(timer->clock_id);
	struct json *json = &p->json;

	json_open(json, NULL, '{');
	json_u64(json, "timer", timer->it_id);
	if (clock)
		json_str(json, "clock", clock);
	else
		json_i64(json, "clock", (int32_t)timer->clock_id);
	json_bool(json, "armed", timer->vsec || timer->vnsec);
	json_u64(json, "interval_ns", timer->isec * 1000000000 + timer->insec);
	json_u64(json, "signal", timer->si_signo);
	if (!p->opts->live) /* grows while the timer's signal is pending */
		json_u64(json, "overrun", timer->overrun);
	json_close(json);
}

static void put_timers(struct printer *p, const TaskTimersEntry *timers)
{
	json_open(&p->json, "timers", '[');
	put_itimer(p, "ITIMER_REAL", timers->real);
	put_itimer(p, "ITIMER_VIRTUAL", timers->virt);
	put_itimer(p, "ITIMER_PROF", timers->prof);
	for (size_t i = 0; i < timers->n_posix; i++)
		put_posix_timer(p, timers->posix[i]);
	json_close(&p->json);
}

static void put_limit(struct printer *p, const char *key, uint64_t value)
{
	if (value == UINT64_MAX)
		json_str(&p->json, key, "unlimited");
	else
		json_u64(&p->json, key, value);
}

static void put_limits(struct printer *p, const TaskRlimitsEntry *limits)
{
	struct json *json = &p->json;

	json_open(json, "limits", '[');
	for (size_t i = 0; i < limits->n_rlimits; i++) {
		json_open(json, NULL, '{');
		if (describe_limit(i))
			json_str(json, "resource", describe_limit(i));
		else
			json_u64(json, "resource", i);
		put_limit(p, "soft", limits->rlimits[i]->cur);
		put_limit(p, "hard", limits->rlimits[i]->max);
		json_close(json);
	}
	json_close(json);
}

static void put_process(struct printer *p, const TaskCoreEntry *tc)
{
	struct json *json = &p->json;

	json_hex(json, "personality", tc->personality);
	if (tc->has_oom_score_adj)
		json_i64(json, "oom_score_adj", tc->oom_score_adj);
	json_bool(json, "child_subreaper", tc->has_child_subreaper && tc->child_subreaper);
	json_u64(json, "pending", tc->signals_s ? tc->signals_s->n_signals : 0);
	put_sigactions(p, tc);
	if (tc->timers)
		put_timers(p, tc->timers);
	if (tc->rlimits)
		put_limits(p, tc->rlimits);
}

static void put_folders(struct printer *p, const struct task *task)
{
	struct json *json = &p->json;

	if (task->mm)
		json_str(json, "program", inspect_path(task->mm->exe));
	if (!task->fs || !task->fs->entry)
		return;
	json_str(json, "cwd", inspect_path(task->fs->cwd));
	json_str(json, "root", inspect_path(task->fs->root));
	if (task->fs->entry->has_umask)
		json_u64(json, "umask", task->fs->entry->umask);
}

/* ---- Memory and descriptors ---- */

static void put_vma(struct printer *p, const struct mm *mm, const struct vma *vma)
{
	struct json *json = &p->json;
	struct vma_view view;

	describe_vma(p->snap, mm, vma, &view);
	json_open(json, NULL, '{');
	json_hex(json, "start", vma->start);
	json_hex(json, "end", vma->end);
	json_str(json, "prot", view.prot);
	json_str(json, "kind", view.kind);
	if (view.path)
		put_bytes(p, "path", view.path, view.path_len);
	if (view.deleted)
		json_bool(json, "deleted", true);
	if (view.has_offset)
		json_u64(json, "offset", view.offset);
	if (vma->anon_name)
		json_str(json, "name", vma->anon_name);
	strbuf_reset(&p->buf);
	describe_vma_flags(&p->buf, vma);
	if (p->buf.len)
		json_str(json, "flags", strbuf_str(&p->buf));
	json_close(json);
}

static void put_memory(struct printer *p, const struct task *task)
{
	const struct task *owner = inspect_mm_owner(p->snap, task);
	struct json *json = &p->json;
	struct mm_sums sums;

	json_open(json, "memory", '{');
	if (owner != task) {
		json_i64(json, "same_as_task", owner->pid);
		json_close(json);
		return;
	}
	inspect_sum(task->mm, &sums);
	json_u64(json, "bytes_mapped", sums.bytes);
	if (!p->opts->live) {
		json_u64(json, "pages_stored", sums.own);
		json_u64(json, "pages_shared", sums.shared);
		json_u64(json, "pages_guard", sums.guard);
	}
	json_open(json, "mappings", '[');
	array_each(const struct vma, vma, &task->mm->vmas)
		put_vma(p, task->mm, vma);
	json_close(json);
	json_close(json);
}

static void put_fd(struct printer *p, const struct task *task, const struct fd_slot *slot)
{
	const struct ofd *ofd = slot->ofd;
	struct json *json = &p->json;
	struct fd_view view;

	describe_fd(p->snap, ofd, &view);
	json_open(json, NULL, '{');
	json_i64(json, "fd", slot->fd);
	json_str(json, "kind", view.kind);
	if (view.path)
		put_bytes(p, "path", view.path, view.path_len);
	if (view.deleted)
		json_bool(json, "deleted", true);
	if (view.has_flags) {
		strbuf_reset(&p->buf);
		describe_open_flags(&p->buf, view.flags);
		json_str(json, "flags", strbuf_str(&p->buf));
	}
	json_bool(json, "cloexec", slot->cloexec);
	if (view.has_pos)
		json_u64(json, "pos", view.pos);
	strbuf_reset(&p->buf);
	describe_fd_detail(&p->buf, p->snap, ofd);
	if (p->buf.len)
		json_str(json, "detail", strbuf_str(&p->buf));
	if (ofd->owner && (ofd->owner != task || ofd->owner_fd != slot->fd)) {
		json_open(json, "shared_with", '{');
		json_i64(json, "task", ofd->owner->pid);
		json_i64(json, "fd", ofd->owner_fd);
		json_close(json);
	}
	json_close(json);
}

static void put_descriptors(struct printer *p, const struct task *task)
{
	const struct task *owner = inspect_fdt_owner(p->snap, task);
	struct json *json = &p->json;

	if (owner != task) {
		json_i64(json, "descriptors_same_as_task", owner->pid);
		return;
	}
	json_open(json, "descriptors", '[');
	array_each(const struct fd_slot, slot, &task->fdt->slots)
		put_fd(p, task, slot);
	json_close(json);
}

static void put_task(struct printer *p, const struct task *task)
{
	const TaskCoreEntry *tc = task->threads.v[0].core ? task->threads.v[0].core->tc : NULL;
	struct json *json = &p->json;

	json_open(json, NULL, '{');
	json_i64(json, "pid", task->pid);
	json_i64(json, "ppid", task->parent ? task->parent->pid : 0);
	json_i64(json, "pgid", task->pgid);
	json_i64(json, "sid", task->sid);
	json_str(json, "state", describe_state(task->state));
	if (tc) {
		json_str(json, "comm", tc->comm);
		json_u64(json, "exit_status", tc->exit_code);
		if (tc->has_stop_signo)
			json_u64(json, "stop_signal", tc->stop_signo);
	}
	if (task->state != TASK_STATE_DEAD) {
		if (tc)
			put_process(p, tc);
		put_folders(p, task);
		put_threads(p, task);
		if (task->mm)
			put_memory(p, task);
		if (task->fdt)
			put_descriptors(p, task);
	}
	json_close(json);
}

static void put_origin(struct printer *p)
{
	const InventoryEntry *inventory = p->snap->inventory;
	struct json *json = &p->json;

	if (p->opts->live || !inventory)
		return;
	json_open(json, "image", '{');
	json_str(json, "crib_version", inventory->crib_version);
	json_str(json, "kernel_release", inventory->kernel_release);
	json_u64(json, "page_size", p->snap->page_size);
	json_close(json);
}

void inspect_json(const struct snapshot *snap, const struct inspect_opts *opts, FILE *out)
{
	struct printer p = { .snap = snap, .opts = opts, .json = { .out = out } };

	json_open(&p.json, NULL, '{');
	put_origin(&p);
	json_open(&p.json, "tasks", '[');
	for (size_t i = 0; i < snap->tasks.n; i++)
		put_task(&p, snap->tasks.v[i]);
	json_close(&p.json);
	json_open(&p.json, "cannot_be_dumped", '[');
	for (size_t i = 0; i < opts->nr_complaints; i++)
		json_str(&p.json, NULL, opts->complaints[i]);
	json_close(&p.json);
	json_close(&p.json);
	strbuf_fini(&p.buf);
}
