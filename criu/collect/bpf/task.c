// SPDX-License-Identifier: GPL-2.0-only
/*
 * What belongs to a process as a whole becomes records.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collect/bpf/engine.h"
#include "collect/dev.h"

#define PF_KTHREAD 0x00200000u /* include/linux/sched.h */

#ifndef PR_SET_THP_DISABLE
#define PR_SET_THP_DISABLE 41
#define PR_GET_THP_DISABLE 42
#endif
#ifndef PR_THP_DISABLE_EXCEPT_ADVISED
#define PR_THP_DISABLE_EXCEPT_ADVISED 2 /* Linux 6.18 */
#endif

/* include/linux/signal_types.h: UAPI_SA_FLAGS; others are the kernel's own */
#define VISIBLE_SA_FLAGS                                                                           \
	(SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |         \
	 SA_RESETHAND | 0x00000800u /* SA_EXPOSE_TAGBITS */ | 0x04000000u /* SA_RESTORER */)

static struct rec_hdr header(const struct bpf_run *run, const struct raw_head *head,
			     enum rec_type type, uint64_t valid)
{
	__u32 pid = (__u32)bpf_target(run, head)->pid;

	return (struct rec_hdr){ .type = type, .pid = pid, .tid = pid, .valid = valid };
}

/* include/linux/sched.h: the low bits of __state and exit_state, as fs/proc/array.c names them. */
char bpf_state_letter(uint32_t run_state, uint32_t exit_state)
{
	enum {
		UNINTERRUPTIBLE = 0x02,
		REPORTED = 0x7f,
		NOLOAD = 0x400,
		RTLOCK_WAIT = 0x1000,
		FROZEN = 0x8000,
	};
	static const char letters[] = "RSDTtXZP";
	uint32_t state = (run_state | exit_state) & REPORTED;

	if (run_state == (UNINTERRUPTIBLE | NOLOAD))
		return 'I';
	if (run_state & (RTLOCK_WAIT | FROZEN))
		state = UNINTERRUPTIBLE;
	return letters[state ? 32 - __builtin_clz(state) : 0];
}

/* ---- The THP switch ---- */

static int own_mm_flags(struct bpf_run *run, uint64_t *ret_flags)
{
	struct bpf_programs *programs = &run->source->programs;
	struct run_target saved = programs->control->target[0];
	struct run_cursor cursor = { .nr_targets = 1 };
	const struct raw_head *head;
	size_t len;
	int ret;

	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	if (pidfd < 0)
		return err_sys(run->err, "pidfd_open of crib itself");
	programs->control->target[0] =
		(struct run_target){ .pidfd = pidfd, .pid = (uint32_t)getpid() };
	do {
		ret = bpf_programs_run(programs, RG_TASK, &cursor, run->err);
		while ((head = bpf_ring_next(&programs->ring, &len))) {
			if (ret == 0 && head->type == RAW_DIR) /* it is not sent again */
				ret = bpf_take_dir(run, head, len);
			else if (head->type == RAW_TASK)
				*ret_flags = ((const struct raw_task *)head)->mm_flags;
			bpf_ring_release(&programs->ring, len);
		}
	} while (ret == 0 && cursor.status == RUN_INTERRUPTED);
	programs->control->target[0] = saved;
	return ret;
}

/*
 * Which bits of mm->flags PR_SET_THP_DISABLE sets: macros whose values no type information holds.
 * crib sets them on itself and looks.
 */
int bpf_learn_thp(struct bpf_run *run)
{
	struct bpf_source *source = run->source;
	long old = prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0);
	uint64_t off = 0, on = 0, advised = 0;
	int ret;

	source->knows_thp = true;
	if (old < 0 || prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) < 0)
		return 0;
	ret = own_mm_flags(run, &off);
	if (ret == 0 && prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0)
		ret = own_mm_flags(run, &on);
	source->thp_off = on & ~off;
	if (ret == 0 && prctl(PR_SET_THP_DISABLE, 1, PR_THP_DISABLE_EXCEPT_ADVISED, 0, 0) == 0) {
		ret = own_mm_flags(run, &advised);
		source->thp_advised = advised & ~off;
	}
	prctl(PR_SET_THP_DISABLE, old & 1, old & PR_THP_DISABLE_EXCEPT_ADVISED, 0, 0);
	return err_wrap(run->err, ret, "learn the bits of mm->flags");
}

/* As PR_GET_THP_DISABLE answers. */
static uint32_t thp_disabled(const struct bpf_source *source, uint64_t mm_flags)
{
	if (mm_flags & source->thp_off)
		return 1;
	return mm_flags & source->thp_advised ? 1 | PR_THP_DISABLE_EXCEPT_ADVISED : 0;
}

/* ---- Records ---- */

/*
 * As MEMBARRIER_CMD_GET_REGISTRATIONS of membarrier(2) answers, from the bits of include/linux/
 * sched/mm.h: two for each kind of barrier, in another order than the commands.
 */
static uint32_t membarrier_registrations(uint32_t state)
{
	static const struct {
		uint32_t state, command;
	} kinds[] = {
		{ 3 << 0, 1 << 4 }, /* PRIVATE_EXPEDITED */
		{ 3 << 2, 1 << 2 }, /* GLOBAL_EXPEDITED */
		{ 3 << 4, 1 << 6 }, /* PRIVATE_EXPEDITED_SYNC_CORE */
		{ 3 << 6, 1 << 8 }, /* PRIVATE_EXPEDITED_RSEQ */
	};
	uint32_t commands = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (state & kinds[i].state)
			commands |= kinds[i].command;
	return commands;
}

int bpf_take_task(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_task *raw = (const void *)head;
	struct rec_task rec;

	if (len != sizeof(*raw))
		return bpf_malformed(run, "task of a wrong length");
	rec = raw->task;
	rec.hdr = header(run, head, REC_TASK, RV_TASK_STAT | RV_TASK_SHARED);
	rec.state = (unsigned char)bpf_state_letter(raw->run_state, raw->exit_state);
	rec.flags = raw->pf_flags & PF_KTHREAD ? REC_TASK_KTHREAD : 0;
	rec.tty_rdev = raw->tty_dev ? rec_dev_to_stat32(raw->tty_dev) : 0;
	rec.exit_code = raw->exit_state ? rec.exit_code : 0;
	if (raw->exit_state) {
		/* a zombie keeps its name and number only */
		rec.mm_id = rec.files_id = rec.fs_id = rec.sighand_id = rec.sysvsem_id = 0;
		rec.sem_undo = REC_SEM_UNDO_NONE;
		rec.sem_set = 0;
		memset(rec.ns, 0, sizeof(rec.ns));
		rec.umask = rec.personality = rec.dumpable = rec.child_subreaper = 0;
		rec.oom_score_adj = 0;
	} else {
		rec.hdr.valid |= RV_TASK_STATUS | RV_TASK_PERSONA | RV_TASK_OOM | RV_TASK_DUMPABLE |
				 RV_TASK_SUBREAPER | RV_TASK_NS;
	}
	rec.membarrier = 0;
	if (!raw->exit_state) {
		/* a kernel without membarrier(2) has no registrations, which is known as well */
		if (raw->membarrier_state != ~0U)
			rec.membarrier = membarrier_registrations(raw->membarrier_state);
		rec.hdr.valid |= RV_TASK_MEMBARRIER;
	}
	if (!raw->exit_state && run->source->thp_off) {
		rec.thp_disabled = thp_disabled(run->source, raw->mm_flags);
		rec.hdr.valid |= RV_TASK_THP;
	}
	bpf_put(run, &rec.hdr, sizeof(rec), NULL, 0);
	run->count++;
	return 0;
}

int bpf_take_limits(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_limits *raw = (const void *)head;
	struct rec_limits rec;

	if (len != sizeof(*raw))
		return bpf_malformed(run, "limits of a wrong length");
	rec = raw->limits;
	rec.hdr = header(run, head, REC_LIMITS, 0);
	bpf_put(run, &rec.hdr, sizeof(rec), NULL, 0);
	return 0;
}

int bpf_take_sigactions(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_sigactions *raw = (const void *)head;
	struct rec_sigactions rec;

	if (len != sizeof(*raw))
		return bpf_malformed(run, "signal actions of a wrong length");
	rec = raw->actions;
	rec.hdr = header(run, head, REC_SIGACTIONS, 0);
	for (int i = 0; i < REC_NR_SIGNALS; i++)
		rec.action[i].flags &= VISIBLE_SA_FLAGS;
	bpf_put(run, &rec.hdr, sizeof(rec), NULL, 0);
	return 0;
}

static const char *const path_links[] = {
	[REC_PATH_CWD] = "cwd",
	[REC_PATH_ROOT] = "root",
	[REC_PATH_EXE] = "exe",
};

/* stat(2) of what no descriptor leads to and whose inode does not tell it all. */
static int stat_link(struct bpf_run *run, struct rec_path *rec)
{
	struct statx stx;
	char link[32];

	snprintf(link, sizeof(link), "/proc/%u/%s", rec->hdr.pid, path_links[rec->which]);
	if (statx(AT_FDCWD, link, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &stx) <
	    0)
		return err_sys(run->err, "statx '%s'", link);
	rec->dev = rec_dev(stx.stx_dev_major, stx.stx_dev_minor);
	rec->ino = stx.stx_ino;
	rec->mode = stx.stx_mode;
	rec->nlink = stx.stx_nlink;
	return 0;
}

int bpf_take_path(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_path *raw = (const void *)head;
	struct bpf_path path;

	if (len < sizeof(*raw) || raw->file.name_len != len - sizeof(*raw) ||
	    raw->which < REC_PATH_CWD || raw->which > REC_PATH_EXE)
		return bpf_malformed(run, "path of a wrong length");
	struct rec_path rec = {
		.hdr = header(run, head, REC_PATH, 0),
		.which = raw->which,
		.mode = raw->file.mode,
		.dev = raw->file.dev,
		.ino = raw->file.ino,
		.nlink = raw->file.nlink,
		.mnt_id = raw->file.mnt_id,
	};
	int ret = bpf_file_path(run, &raw->file, raw->name, &path);
	if (ret == 0 && !bpf_stat_is_inode(&raw->file))
		ret = stat_link(run, &rec);
	if (ret < 0)
		return err_wrap(run->err, ret, "%s", path_links[raw->which]);
	rec.file_flags = path.file_flags;
	rec.path_len = (__u32)path.len;
	bpf_put(run, &rec.hdr, sizeof(rec), path.text, path.len);
	return 0;
}
