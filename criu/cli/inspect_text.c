// SPDX-License-Identifier: GPL-2.0-only
/*
 * A snapshot as text for a person: the tree, then every task with what it has.
 */
#include <inttypes.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/describe.h"
#include "cli/inspect_print.h"

struct text {
	const struct snapshot *snap;
	const struct inspect_opts *opts;
	FILE *out;
	struct strbuf buf; /* scratch of the line at hand */
};

/* Prints @len bytes of somebody's name on one line, whatever is in it. */
static void put_name(FILE *out, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)name[i];

		if (c < 0x20 || c == 0x7f || c == '\\')
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static void put_str(FILE *out, const char *str)
{
	put_name(out, str ? str : "?", str ? strlen(str) : 1);
}

static void put_size(FILE *out, uint64_t bytes)
{
	fprintf(out, "%" PRIu64 " KiB", bytes / 1024);
}

static const char *comm_of(const struct thread *thread)
{
	const CoreEntry *core = thread->core;

	if (core && core->thread_core && core->thread_core->comm)
		return core->thread_core->comm;
	return core && core->tc ? core->tc->comm : NULL;
}

static const TaskCoreEntry *process_of(const struct task *task)
{
	return task->threads.n && task->threads.v[0].core ? task->threads.v[0].core->tc : NULL;
}

/* ---- The tree ---- */

static void put_exit(struct text *text, uint32_t status)
{
	if (!WIFSIGNALED((int)status)) {
		fprintf(text->out, ", exited with %d", WEXITSTATUS((int)status));
		return;
	}
	strbuf_reset(&text->buf);
	describe_signal(&text->buf, (unsigned int)WTERMSIG((int)status));
	fprintf(text->out, ", killed by %s", strbuf_str(&text->buf));
}

static void put_state(struct text *text, const struct task *task)
{
	const TaskCoreEntry *tc = process_of(task);

	if (task->state == TASK_STATE_ALIVE)
		return;
	fprintf(text->out, ", %s", describe_state(task->state));
	if (tc && task->state == TASK_STATE_DEAD)
		put_exit(text, tc->exit_code);
	if (!tc || task->state != TASK_STATE_STOPPED || !tc->has_stop_signo)
		return;
	strbuf_reset(&text->buf);
	describe_signal(&text->buf, tc->stop_signo);
	fprintf(text->out, " by %s", strbuf_str(&text->buf));
}

static void put_branch(struct text *text, const struct task *task, int depth)
{
	fprintf(text->out, "%*s%d ", 2 + 2 * depth, "", task->pid);
	put_str(text->out, comm_of(&task->threads.v[0]));
	if (task->threads.n > 1)
		fprintf(text->out, ", %zu threads", task->threads.n);
	put_state(text, task);
	fputc('\n', text->out);
}

static const struct task *next_sibling(const struct task *task)
{
	const struct task *parent = task->parent;
	size_t i = 0;

	while (i < parent->children.n && parent->children.v[i] != task)
		i++;
	return i + 1 < parent->children.n ? parent->children.v[i + 1] : NULL;
}

/* Every task below the root in the order of the tree. Not recursive: an image may be deep. */
static void put_tree(struct text *text, const struct task *root)
{
	const struct task *task = root;
	int depth = 0;

	while (task) {
		put_branch(text, task, depth);
		if (task->children.n) {
			task = task->children.v[0];
			depth++;
			continue;
		}
		const struct task *next = NULL;
		while (task != root && !(next = next_sibling(task))) {
			task = task->parent;
			depth--;
		}
		task = next;
	}
}

/* ---- One task ---- */

static void put_creds(struct text *text, const ThreadCoreEntry *core)
{
	const CredsEntry *creds = core ? core->creds : NULL;

	if (!creds)
		return;
	fprintf(text->out, "  uid %u %u %u, gid %u %u %u", creds->uid, creds->euid, creds->suid,
		creds->gid, creds->egid, creds->sgid);
	if (creds->n_cap_eff == 2)
		fprintf(text->out, ", capabilities %08x%08x", creds->cap_eff[1], creds->cap_eff[0]);
	if (creds->has_no_new_privs && creds->no_new_privs)
		fputs(", no_new_privs", text->out);
	if (core->has_seccomp_mode && core->seccomp_mode != SECCOMP_MODE__disabled)
		fprintf(text->out, ", seccomp %s",
			core->seccomp_mode == SECCOMP_MODE__strict ? "strict" : "filter");
	fputc('\n', text->out);
}

static void put_folders(struct text *text, const struct task *task)
{
	if (!task->fs || !task->fs->entry)
		return;
	fputs("  cwd ", text->out);
	put_str(text->out, inspect_path(task->fs->cwd));
	fputs(", root ", text->out);
	put_str(text->out, inspect_path(task->fs->root));
	if (task->fs->entry->has_umask)
		fprintf(text->out, ", umask %03o", task->fs->entry->umask);
	fputc('\n', text->out);
	fputs("  program ", text->out);
	put_str(text->out, task->mm ? inspect_path(task->mm->exe) : NULL);
	fputc('\n', text->out);
}

static void put_thread(struct text *text, const struct thread *thread)
{
	const ThreadCoreEntry *core = thread->core ? thread->core->thread_core : NULL;

	fprintf(text->out, "    %d ", thread->tid);
	put_str(text->out, comm_of(thread));
	if (core && core->has_sched_policy) {
		const char *policy = describe_policy(core->sched_policy);

		fprintf(text->out, ", %s", policy ? policy : "unknown policy");
		if (core->has_sched_prio && core->sched_prio)
			fprintf(text->out, " %u", core->sched_prio);
	}
	if (core && core->has_sched_nice && core->sched_nice)
		fprintf(text->out, ", nice %d", core->sched_nice);
	if (core && core->signals_p && core->signals_p->n_signals)
		fprintf(text->out, ", %zu signals pending", core->signals_p->n_signals);
	uint64_t blocked = inspect_blocked(thread);
	if (blocked) {
		strbuf_reset(&text->buf);
		describe_sigset(&text->buf, blocked);
		fprintf(text->out, ", blocks %s", strbuf_str(&text->buf));
	}
	fputc('\n', text->out);
}

static void put_signals(struct text *text, const TaskCoreEntry *tc)
{
	uint64_t ignored = 0, handled = 0;

	for (size_t i = 0; i < tc->n_sigactions; i++) {
		/* actions leave out SIGKILL and SIGSTOP */
		unsigned int signo = (unsigned int)(i + 1) + (i >= 8) + (i >= 17);

		if (signo > 64)
			break;
		if (tc->sigactions[i]->sigaction == 1)
			ignored |= UINT64_C(1) << (signo - 1);
		else if (tc->sigactions[i]->sigaction)
			handled |= UINT64_C(1) << (signo - 1);
	}
	strbuf_reset(&text->buf);
	if (handled) {
		strbuf_puts(&text->buf, ", handles ");
		describe_sigset(&text->buf, handled);
	}
	if (ignored) {
		strbuf_puts(&text->buf, ", ignores ");
		describe_sigset(&text->buf, ignored);
	}
	if (tc->signals_s && tc->signals_s->n_signals)
		strbuf_printf(&text->buf, ", %zu pending", tc->signals_s->n_signals);
	if (text->buf.len)
		fprintf(text->out, "  signals: %s\n", text->buf.data + 2);
}

static void put_itimer(struct text *text, const char *name, const ItimerEntry *timer)
{
	bool armed = timer->vsec || timer->vusec;

	if (!armed)
		return;
	fprintf(text->out, "  timer %s armed", name);
	if (timer->isec || timer->iusec)
		fprintf(text->out, " every %" PRIu64 ".%06" PRIu64 " s", timer->isec, timer->iusec);
	else
		fputs(" once", text->out);
	fputc('\n', text->out);
}

static void put_timers(struct text *text, const TaskTimersEntry *timers)
{
	if (!timers)
		return;
	put_itimer(text, "ITIMER_REAL", timers->real);
	put_itimer(text, "ITIMER_VIRTUAL", timers->virt);
	put_itimer(text, "ITIMER_PROF", timers->prof);
	for (size_t i = 0; i < timers->n_posix; i++) {
		const PosixTimerEntry *timer = timers->posix[i];

		strbuf_reset(&text->buf);
		describe_timer(&text->buf, timer->clock_id, timer->isec, timer->insec,
			       timer->vsec || timer->vnsec);
		fprintf(text->out, "  timer %u %s\n", timer->it_id, strbuf_str(&text->buf));
	}
}

/* ---- Memory ---- */

static void put_vma(struct text *text, const struct mm *mm, const struct vma *vma)
{
	struct vma_view view;

	describe_vma(text->snap, mm, vma, &view);
	fprintf(text->out, "    %012" PRIx64 "-%012" PRIx64 " %s ", vma->start, vma->end,
		view.prot);
	put_size(text->out, vma->end - vma->start);
	fprintf(text->out, " %s", view.kind);
	if (view.path) {
		fputc(' ', text->out);
		put_name(text->out, view.path, view.path_len);
	}
	if (view.deleted)
		fputs(" (deleted)", text->out);
	if (view.has_offset && view.offset)
		fprintf(text->out, " at 0x%" PRIx64, view.offset);
	if (vma->anon_name) {
		fputs(" \"", text->out);
		put_str(text->out, vma->anon_name);
		fputc('"', text->out);
	}
	strbuf_reset(&text->buf);
	describe_vma_flags(&text->buf, vma);
	if (text->buf.len)
		fprintf(text->out, " [%s]", text->buf.data);
	fputc('\n', text->out);
}

static void put_memory(struct text *text, const struct task *task)
{
	const struct task *owner = inspect_mm_owner(text->snap, task);
	struct mm_sums sums;

	if (owner != task) {
		fprintf(text->out, "  memory: that of task %d\n", owner->pid);
		return;
	}
	inspect_sum(task->mm, &sums);
	fprintf(text->out, "  memory: %zu mappings, ", task->mm->vmas.n);
	put_size(text->out, sums.bytes);
	if (!text->opts->live) {
		fputs("; stored ", text->out);
		put_size(text->out, sums.own * text->snap->page_size);
	}
	if (sums.shared) {
		fputs(", shared with other tasks ", text->out);
		put_size(text->out, sums.shared * text->snap->page_size);
	}
	if (sums.guard) {
		fputs(", guarded ", text->out);
		put_size(text->out, sums.guard * text->snap->page_size);
	}
	fputc('\n', text->out);
	array_each(const struct vma, vma, &task->mm->vmas)
		put_vma(text, task->mm, vma);
}

/* ---- Descriptors ---- */

static void put_fd(struct text *text, const struct task *task, const struct fd_slot *slot)
{
	const struct ofd *ofd = slot->ofd;
	struct fd_view view;

	describe_fd(text->snap, ofd, &view);
	fprintf(text->out, "    %d %s", slot->fd, view.kind);
	if (view.path) {
		fputc(' ', text->out);
		put_name(text->out, view.path, view.path_len);
	}
	if (view.deleted)
		fputs(" (deleted)", text->out);
	if (view.has_flags) {
		strbuf_reset(&text->buf);
		describe_open_flags(&text->buf, view.flags);
		fprintf(text->out, " %s", text->buf.data);
	}
	if (slot->cloexec)
		fputs(" cloexec", text->out);
	if (view.has_pos)
		fprintf(text->out, " pos %" PRIu64, view.pos);
	strbuf_reset(&text->buf);
	describe_fd_detail(&text->buf, text->snap, ofd);
	if (text->buf.len)
		fprintf(text->out, ", %s", text->buf.data);
	if (ofd->owner == task && ofd->owner_fd != slot->fd)
		fprintf(text->out, ", shared with descriptor %d", ofd->owner_fd);
	else if (ofd->owner && ofd->owner != task)
		fprintf(text->out, ", shared with descriptor %d of task %d", ofd->owner_fd,
			ofd->owner->pid);
	fputc('\n', text->out);
}

static void put_descriptors(struct text *text, const struct task *task)
{
	const struct task *owner = inspect_fdt_owner(text->snap, task);

	if (owner != task) {
		fprintf(text->out, "  descriptors: those of task %d\n", owner->pid);
		return;
	}
	fprintf(text->out, "  descriptors: %zu\n", task->fdt->slots.n);
	array_each(const struct fd_slot, slot, &task->fdt->slots)
		put_fd(text, task, slot);
}

static void put_ids(struct text *text, const struct task *task)
{
	fprintf(text->out, "\ntask %d ", task->pid);
	put_str(text->out, comm_of(&task->threads.v[0]));
	put_state(text, task);
	if (task->parent)
		fprintf(text->out, "\n  parent %d", task->parent->pid);
	else
		fputs("\n  parent outside", text->out);
	if (task->pgid)
		fprintf(text->out, ", group %d", task->pgid);
	else
		fputs(", group outside", text->out);
	if (task->sid)
		fprintf(text->out, ", session %d\n", task->sid);
	else
		fputs(", session outside\n", text->out);
}

static void put_task(struct text *text, const struct task *task)
{
	const struct thread *leader = &task->threads.v[0];
	const TaskCoreEntry *tc = process_of(task);

	put_ids(text, task);
	if (task->state == TASK_STATE_DEAD)
		return;
	put_creds(text, leader->core ? leader->core->thread_core : NULL);
	put_folders(text, task);
	fprintf(text->out, "  threads: %zu\n", task->threads.n);
	array_each(const struct thread, thread, &task->threads)
		put_thread(text, thread);
	if (tc)
		put_signals(text, tc);
	if (tc)
		put_timers(text, tc->timers);
	if (task->mm)
		put_memory(text, task);
	if (task->fdt)
		put_descriptors(text, task);
}

static void put_origin(struct text *text)
{
	const InventoryEntry *inventory = text->snap->inventory;

	if (text->opts->live || !inventory)
		return;
	if (inventory->crib_version) {
		fputs("image of crib ", text->out);
		put_str(text->out, inventory->crib_version);
	} else {
		fputs("image of criu", text->out);
	}
	if (inventory->kernel_release) {
		fputs(", Linux ", text->out);
		put_str(text->out, inventory->kernel_release);
	}
	fprintf(text->out, ", pages of %u bytes\n\n", text->snap->page_size);
}

void inspect_text(const struct snapshot *snap, const struct inspect_opts *opts, FILE *out)
{
	struct text text = { .snap = snap, .opts = opts, .out = out };

	put_origin(&text);
	fprintf(out, "tree: %zu tasks\n", snap->tasks.n);
	if (snap->tasks.n)
		put_tree(&text, snap->tasks.v[0]);
	for (size_t i = 0; i < snap->tasks.n; i++)
		put_task(&text, snap->tasks.v[i]);
	if (opts->nr_complaints)
		fputs("\ncannot be dumped:\n", out);
	for (size_t i = 0; i < opts->nr_complaints; i++)
		fprintf(out, "  %s\n", opts->complaints[i]);
	strbuf_fini(&text.buf);
}
