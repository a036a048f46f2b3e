// SPDX-License-Identifier: GPL-2.0-only
/*
 * The coordinator of a restore: loads and plans, starts the tree, watches it, commits, and if
 * anything fails makes it as if nothing had been.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "arch/cpuinfo.h"
#include "base/apart.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/ready.h"
#include "image/image.h"
#include "restore/commit.h"
#include "restore/context.h"
#include "restore/describe.h"
#include "restore/find_shared.h"
#include "restore/finish.h"
#include "restore/patience.h"
#include "restore/program.h"
#include "restore/restore.h"
#include "restore/rights.h"
#include "restore/watch.h"

enum { CLEANUP_MS = 1000 }; /* after a failure, with --timeout */

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* ---- Before anything happens ---- */

static int open_dirs(struct restore *restore, struct err *err)
{
	const struct opts *opts = restore->opts;

	restore->images_fd = open(opts->images_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (restore->images_fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return err_set(err, -errno, "images directory '%s' %s; give that of a dump with -D",
			       opts->images_dir,
			       errno == ENOENT ? "does not exist" : "is not a directory");
	if (restore->images_fd < 0)
		return err_sys(err, "open images directory '%s'", opts->images_dir);
	restore->root_fd = open(opts->root ? opts->root : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (restore->root_fd < 0)
		return err_sys(err, "open root directory '%s'", opts->root ? opts->root : "/");
	restore->work_fd = open(opts->work_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (restore->work_fd < 0)
		return err_sys(err, "open work directory '%s'", opts->work_dir);
	return 0;
}

/* Moves crib's own descriptors above every number that a restored table has. */
static int make_room_for_tables(struct restore *restore, struct err *err)
{
	int *own[] = { &restore->images_fd, &restore->root_fd, &restore->work_fd };
	struct rlimit limit;
	int highest = STDERR_FILENO;

	for (size_t i = 0; i < restore->snap.fdtables.n; i++) {
		const struct fdtable *fdt = restore->snap.fdtables.v[i];

		if (fdt->slots.n && fdt->slots.v[fdt->slots.n - 1].fd > highest)
			highest = fdt->slots.v[fdt->slots.n - 1].fd;
	}
	restore->service_fd = highest + 1;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return err_sys(err, "getrlimit RLIMIT_NOFILE");
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		int fd = fcntl(*own[i], F_DUPFD_CLOEXEC, restore->service_fd);

		if (fd < 0)
			return err_sys(err,
				       "move a descriptor above %d, the highest of the tree; "
				       "raise the limit of open files (ulimit -n)",
				       highest);
		close(*own[i]);
		*own[i] = fd;
	}
	return log_move_fd(restore->service_fd);
}

_Static_assert((int)ARCH_CPU_FPU == (int)OPTS_CPU_FPU && (int)ARCH_CPU_INS == (int)OPTS_CPU_INS &&
		       (int)ARCH_CPU_CPU == (int)OPTS_CPU_CPU,
	       "bits are the options'");

/* Without the option, what the image does not say is not asked for. */
static int check_processor(struct restore *restore, struct err *err)
{
	const struct opts *opts = restore->opts;
	CpuinfoEntry *own = opts->cpu_cap ? arch_cpuinfo(&restore->snap.arena) : NULL;

	if (own && restore->snap.cpuinfo)
		return arch_cpuinfo_check(restore->snap.cpuinfo, own, opts->cpu_cap, err);
	if (own && opts->cpu_cap_given)
		return err_set(
			err, -ENOENT,
			"the image does not say on which processor it was made, "
			"there is no 'cpuinfo.img': dump with --cpu-cap, or restore without");
	return 0;
}

static int load_images(struct restore *restore, struct err *err)
{
	int ret = open_dirs(restore, err);

	return ret == 0 ? image_load(&restore->snap, restore->images_fd,
				     &(struct image_load_opts){ 0 }, err) :
			  ret;
}

static int load(struct restore *restore, struct err *err)
{
	restore->deadline = opts_deadline(restore->opts);
	int ret = ready_await(restore->opts->status_fd, restore->deadline, err);
	if (ret == 0)
		ret = patience_run(restore, load_images, "loading the images", err);
	if (ret == 0)
		ret = check_processor(restore, err);
	if (ret < 0)
		return ret;
	restore->own_sid = getsid(0);
	restore->own_pgid = getpgrp();
	ret = genealogy_plan(&restore->genealogy, &restore->snap, restore->own_sid,
			     restore->own_pgid, err);
	if (ret < 0)
		return ret;
	snapshot_assign_owners(&restore->snap);
	fd_restore_begin(&restore->snap, restore->opts);
	return restore_build_plan(restore, err);
}

/* ---- Steps ---- */

static int verify_contents(struct restore *restore, struct err *err)
{
	return image_verify_contents(restore->images_fd, 0, err);
}

int step_verify_contents(void *ctx, const struct step *step, struct err *err)
{
	return patience_run(((struct actor *)ctx)->restore, verify_contents, "reading the images",
			    err);
}

static int compare_pages(struct restore *restore, struct err *err)
{
	return find_shared(&restore->snap, restore->images_fd, err);
}

int step_find_shared(void *ctx, const struct step *step, struct err *err)
{
	return patience_run(((struct actor *)ctx)->restore, compare_pages, "reading the images",
			    err);
}

static int prepare_files(struct restore *restore, struct err *err)
{
	return fd_restore_prepare(&restore->snap, restore->opts, restore->images_fd,
				  restore->root_fd, restore->service_fd, err);
}

/*
 * A deleted file has a name for the instant in which it is made. So that none is left when crib is
 * killed just then, another process makes it.
 */
int step_prepare_files(void *ctx, const struct step *step, struct err *err)
{
	struct restore *restore = ((struct actor *)ctx)->restore;
	int ret = restore_run_script(restore, "pre-restore", err);

	if (ret < 0)
		return ret;
	ret = patience_run_apart(restore, prepare_files,
				 "making the deleted files and terminals of the tree", err);
	/* a file system that does not answer would not answer when it is cleaned up either */
	restore->prepared = ret != -ETIMEDOUT;
	return ret;
}

int step_seal_files(void *ctx, const struct step *step, struct err *err)
{
	return fd_restore_seal(&((struct actor *)ctx)->restore->snap, err);
}

static int prepare_shmem(struct restore *restore, struct err *err)
{
	return stage_shmems(&restore->stage, restore->images_fd, err);
}

int step_prepare_shmem(void *ctx, const struct step *step, struct err *err)
{
	return patience_run(((struct actor *)ctx)->restore, prepare_shmem, "reading shared memory",
			    err);
}

/* ---- The two ends ---- */

static int run_phases(struct restore *restore)
{
	struct actor coordinator = { .restore = restore };
	int ret = 0;

	restore->start_us = now_us();
	progress_line_init(&restore->progress_line);

	for (enum plan_phase phase = PHASE_PREPARE; phase < PHASE_COMMIT && ret == 0; phase++) {
		restore->deadline = opts_deadline(restore->opts);
		ret = actor_run_phase(&coordinator, phase);
		if (ret == 0)
			ret = watch_phase(restore, phase);
		if (phase == PHASE_FORK)
			restore->forked_us = now_us();
	}
	if (ret == 0)
		ret = finish_restore(restore);
	progress_line_end(&restore->progress_line);
	return ret;
}

/* Pages that the image has for the tree; those it has once for several tasks count once. */
static uint64_t count_pages(const struct snapshot *snap, bool shared)
{
	uint64_t n = 0;

	for (size_t i = 0; i < snap->mms.n; i++)
		array_each(struct page_range, range, &snap->mms.v[i]->pages)
			n += !range->guard && !range->shared_with == !shared ? range->nr_pages : 0;
	return n;
}

static int save_stats(struct restore *restore, struct err *err)
{
	const struct opts *opts = restore->opts;
	RestoreStatsEntry entry = RESTORE_STATS_ENTRY__INIT;
	StatsEntry stats = STATS_ENTRY__INIT;

	stats.restore = &entry;
	entry.forking_time = (uint32_t)(restore->forked_us - restore->start_us);
	entry.restore_time = (uint32_t)(now_us() - restore->start_us);
	entry.has_pages_restored = true;
	entry.pages_restored = count_pages(&restore->snap, false);
	entry.pages_skipped_cow = count_pages(&restore->snap, true);
	if (opts->display_stats) {
		log_at(LOG_MSG, "Displaying restore stats:");
		log_at(LOG_MSG, "Pages shared: %llu", (unsigned long long)entry.pages_skipped_cow);
		log_at(LOG_MSG, "Pages restored: %llu", (unsigned long long)entry.pages_restored);
		log_at(LOG_MSG, "Restore time: %u us", entry.restore_time);
		log_at(LOG_MSG, "Forking time: %u us", entry.forking_time);
	}
	return image_save_stats(restore->work_fd, IMG_STATS_RESTORE, &stats, err);
}

/* The tree runs, so a failure is only reported. */
static void write_stats(struct restore *restore)
{
	struct err err = ERR_INIT;

	restore->deadline = opts_deadline(restore->opts);
	if (patience_run(restore, save_stats, "writing the statistics", &err) < 0)
		log_warn("statistics are not written: %s", err.text);
}

static void log_blob_warnings(const struct restorer_status *blob)
{
	for (unsigned int i = 1; i < RWARN_MAX; i++)
		if (blob->warnings & (1ULL << i))
			log_warn("task %d: could not restore %s: %s", blob->warning_pid[i],
				 program_warning_name(i), strerror(blob->warning_errno[i]));
}

/* What the image needs, to be restored again, is removed by the finisher alone. */
static int clean_up(struct restore *restore, struct err *err)
{
	return fd_restore_cleanup(&restore->snap, restore->opts, restore->root_fd, false, err);
}

static int run_plan(struct restore *restore, struct err *err)
{
	struct snapshot *snap = &restore->snap;
	struct err late = ERR_INIT;
	int ret = make_room_for_tables(restore, err);

	if (ret == 0)
		ret = stage_plan(&restore->stage, snap, err);
	if (ret < 0)
		return ret;
	restore->status = status_new(&restore->plan, (uint32_t)snap->tasks.n, err);
	if (!restore->status)
		return -ENOMEM;
	ret = program_status_own(&restore->status->restorer, &restore->owner, err);
	if (ret < 0)
		return ret;
	restore->pidfds = ARENA_ARRAY(&snap->arena, int, snap->tasks.n);
	for (size_t i = 0; i < snap->tasks.n; i++)
		restore->pidfds[i] = -1;
	ret = run_phases(restore);
	if (ret < 0) {
		watch_kill_tree(restore);
		*err = restore->status->error;
		ret = err->code ? err->code : ret;
	} else {
		log_blob_warnings(&restore->status->restorer);
	}
	program_status_disown(&restore->status->restorer, &restore->owner);
	if (restore->deadline != APART_NO_DEADLINE)
		restore->deadline = apart_now() + CLEANUP_MS;
	if (restore->prepared && patience_run(restore, clean_up, "removing names", &late) < 0)
		log_warn("%s", late.text);
	return ret;
}

static bool is_attached(const struct opts *opts)
{
	return !opts->restore_detached && !opts->restore_sibling;
}

/* As criu: crib ends when the tree does, and not before, whoever asks for it. */
static void ignore_requests_to_end(void)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };

	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_IGN);
}

/*
 * Until the root task has exited. A job that leads a session of its own does not hear the keys of
 * the terminal that crib is in: they are passed on. Other jobs are told by the terminal itself.
 */
static int wait_for_root(const struct restore *restore, struct err *err)
{
	const struct task *root = restore->snap.tasks.v[0];
	sigset_t set, before;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, &before);
	for (;;) {
		pid_t pid = waitpid(root->pid, NULL, WNOHANG);

		if (pid == root->pid)
			break;
		if (pid < 0)
			return err_sys(err, "wait for the restored root task %d", root->pid);
		if (sigwait(&set, &signo) == 0 && signo != SIGCHLD && root->sid == root->pid)
			kill(-root->pid, signo);
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return 0;
}

static void restore_fini(struct restore *restore)
{
	status_free(restore->status);
	stage_fini(&restore->stage);
	plan_fini(&restore->plan);
	snapshot_fini(&restore->snap);
	cleanup_close(&restore->images_fd);
	cleanup_close(&restore->root_fd);
	cleanup_close(&restore->work_fd);
}

static int restore_with_signals_blocked(struct restore *restore, struct err *err)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	int ret = run_plan(restore, err);
	prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
	if (ret == 0 && is_attached(restore->opts))
		ignore_requests_to_end();
	sigprocmask(SIG_SETMASK, &before, NULL);
	return ret;
}

/* --status-fd. The tree runs, so a failure is only reported. */
static void signal_status(const struct opts *opts)
{
	int fd = opts->status_fd;
	struct err err = ERR_INIT;

	if (ready_signal(&fd, opts_deadline(opts), &err) < 0)
		log_warn("%s", err.text);
}

int restore_tree(const struct opts *opts, struct err *err)
{
	struct restore restore = { .opts = opts, .images_fd = -1, .root_fd = -1, .work_fd = -1 };

	snapshot_init(&restore.snap);
	int ret = load(&restore, err);
	if (ret == 0 && opts->show_plan) {
		plan_print(&restore.plan, stdout);
	} else if (ret == 0) {
		ret = rights_check(&restore.snap, err);
		if (ret == 0)
			ret = restore_with_signals_blocked(&restore, err);
		if (ret == 0) {
			log_info("Restore finished successfully. Tasks resumed.");
			fd_restore_end(&restore.snap);
			write_stats(&restore);
			signal_status(opts);
			if (is_attached(opts))
				ret = wait_for_root(&restore, err);
		}
	}
	restore_fini(&restore);
	if (ret < 0)
		describe_remedy(err);
	return ret;
}
