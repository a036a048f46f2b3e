// SPDX-License-Identifier: GPL-2.0-only
/*
 * A dump from freezing to the commit, in the order of its stages. Whatever fails, the end is
 * the same: the parts of the image are removed and the tree runs again.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "arch/cpuinfo.h"
#include "base/apart.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/ready.h"
#include "collect/engine.h"
#include "dump/complete.h"
#include "dump/dump.h"
#include "dump/extract.h"
#include "dump/keeper.h"
#include "dump/sleep.h"
#include "image/image.h"
#include "mem/mem.h"
#include "target/freeze.h"
#include "target/script.h"

_Static_assert((int)ENGINE_BPF == (int)OPTS_ENGINE_BPF && (int)ENGINE_PROC == (int)OPTS_ENGINE_PROC,
	       "engine choices are the options'");

/* More than --timeout, for what can say by itself that it is late. */
enum { LATE_MS = 1000 };

struct dump {
	const struct opts *opts;
	const struct keeper *keeper; /* NULL: inspect, nobody to watch */
	struct image_dir image;
	struct frozen_tree tree;
	struct engines engines;
	struct gather gather;
	struct snapshot snap;
	struct fd_extract extract;
	struct complaints complaints;
	struct mem_stats mem;
	struct progress *progress; /* borrowed */
	struct collect_target *targets;
	size_t nr_targets;
	uint64_t loading_us, loaded_us; /* of the engines */
	uint64_t start_us, frozen_us, collected_us, memory_us, written_us, thawed_us;
};

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

/*
 * What the starter shows, and ends when it has not ended by itself. @parts: the time of how many
 * phases it may take; 0: it must not be ended.
 */
static void begin(struct dump *dump, const char *what, size_t parts)
{
	int64_t deadline = opts_deadline(dump->opts);

	if (deadline == APART_NO_DEADLINE || !parts)
		deadline = 0;
	else
		deadline += LATE_MS + ((int64_t)parts - 1) * dump->opts->timeout * 1000;
	__atomic_store_n(&dump->progress->deadline, 0, __ATOMIC_SEQ_CST);
	dump->progress->total = 0;
	dump->progress->stage = what;
	__atomic_store_n(&dump->progress->deadline, deadline, __ATOMIC_SEQ_CST);
}

static int run_script(struct dump *dump, const char *hook, struct err *err)
{
	const struct script_env env = { .images_fd = dump->image.dirfd,
					.init_pid = dump->opts->tree_pid };

	return script_run(dump->opts, hook, &env, err);
}

/* ---- Stages ---- */

static int freeze(struct dump *dump, struct err *err)
{
	uint32_t timeout = dump->opts->timeout;
	const struct freeze_opts opts = {
		.deadline = timeout == 0                  ? COMPEL_NO_DEADLINE :
			    timeout == OPTS_TIMEOUT_UNSET ? 0 :
							    compel_deadline((int)timeout * 1000),
		.note_sleep = !engines_use_bpf(&dump->engines, RG_THREAD),
	};

	dump->start_us = now_us();
	int ret = freeze_tree(&dump->tree, dump->opts->tree_pid, &opts, err);
	dump->frozen_us = now_us();
	return ret;
}

/* crib cannot stop itself; whoever started it would wait for ever. */
static int check_not_own_tree(struct dump *dump, struct err *err)
{
	for (size_t i = 0; i < dump->tree.tasks.n; i++)
		if (dump->tree.tasks.v[i]->pid == getpid() ||
		    dump->tree.tasks.v[i]->pid == getppid())
			return err_set(err, -EINVAL,
				       "crib runs inside the tree of task %d: start it "
				       "from another shell, or with setsid",
				       dump->opts->tree_pid);
	return 0;
}

static enum thaw_how thaw_how(const struct opts *opts)
{
	if (opts->leave_running)
		return THAW_RUN;
	return opts->leave_stopped ? THAW_STOP : THAW_KILL;
}

/* What comes after the commit must not fail for want of a right. */
static int check_end(struct dump *dump, struct err *err)
{
	return freeze_check_end(&dump->tree, thaw_how(dump->opts), err);
}

static void make_targets(struct dump *dump)
{
	struct arena *arena = &dump->tree.arena;

	dump->nr_targets = dump->tree.tasks.n;
	dump->targets = ARENA_ARRAY(arena, struct collect_target, dump->nr_targets);
	for (size_t i = 0; i < dump->nr_targets; i++) {
		const struct frozen_task *task = dump->tree.tasks.v[i];
		pid_t *tids = ARENA_ARRAY(arena, pid_t, task->threads.n);

		for (size_t t = 0; t < task->threads.n; t++)
			tids[t] = task->threads.v[t].tid;
		dump->targets[i] = (struct collect_target){
			.pid = task->pid,
			.pidfd = task->pidfd,
			.tids = tids,
			.nr_tids = task->threads.n,
			.zombie = task->zombie,
		};
	}
}

/* Records of which the BPF engine is wrong on this kernel come from /proc. */
static int tell_differing(const struct dump *dump, struct err *err)
{
	const bool *differs = dump->engines.differs;
	_cleanup_strbuf_ struct strbuf what = { 0 };

	if (!engines_describe_differing(&dump->engines, &what))
		return 0;
	if (dump->opts->no_parasite && (differs[RG_TASK] || differs[RG_THREAD] || differs[RG_MM]))
		return err_set(err, -ENOTSUP,
			       "--no-parasite: the BPF engine is wrong on this kernel, as its "
			       "self-test found: %s",
			       strbuf_str(&what));
	log_warn("the BPF engine is wrong on this kernel, as its self-test found: using /proc for "
		 "%s",
		 strbuf_str(&what));
	return 0;
}

/* Before anything stands still: loading programs takes some milliseconds. */
static int open_engines(struct dump *dump, struct err *err)
{
	const struct opts *opts = dump->opts;
	const struct bpf_setup setup = { .btf = opts->btf, .no_pin = opts->no_pin };
	uint8_t choice[RG_MAX];

	/* what /proc does not tell would be asked inside; of descriptors it tells all */
	for (enum rec_group group = 0; group < RG_MAX; group++)
		choice[group] =
			opts->no_parasite && group != RG_FD ? ENGINE_BPF : opts->engine[group];
	dump->loading_us = now_us();
	int ret = engines_open(&dump->engines, choice, &setup, err);
	if (ret < 0 && opts->no_parasite)
		return err_wrap(err, ret, "--no-parasite needs the BPF engine");
	if (ret < 0)
		return ret;
	engines_prepare(&dump->engines, opts->tree_pid);
	dump->loaded_us = now_us();
	if (dump->engines.fell_back)
		log_info("no BPF engine: %s; using /proc", dump->engines.reason.text);
	return tell_differing(dump, err);
}

static int collect(struct dump *dump, struct err *err)
{
	int ret = 0;

	make_targets(dump);
	for (enum rec_group group = 0; group < RG_MAX && ret == 0; group++)
		ret = engines_collect(&dump->engines, group, dump->targets, dump->nr_targets,
				      &dump->gather.sink, err);
	if (ret == 0)
		ret = complete_records(&dump->tree, &dump->gather, !dump->opts->no_parasite, err);
	if (ret == 0)
		ret = sleep_complete(&dump->tree, &dump->gather, err);
	dump->collected_us = now_us();
	return ret;
}

static int build(struct dump *dump, struct err *err)
{
	dump->extract = (struct fd_extract){
		.snap = &dump->snap,
		.opts = dump->opts,
		.names = dump->keeper->remains->names,
		.names_room = KEEPER_NAMES,
	};
	int ret = fd_extract_begin(&dump->extract, err);
	if (ret < 0)
		return ret;
	return build_snapshot(&dump->snap, &dump->gather, &dump->tree, &dump->extract,
			      &dump->complaints, err);
}

/* All that cannot be dumped is said at once. */
static int refuse_unsupported(struct dump *dump, struct err *err)
{
	size_t n = dump->complaints.text.n;

	if (n == 0)
		return 0;
	for (size_t i = 0; n > 1 && i < n; i++)
		log_error("%s", dump->complaints.text.v[i]);
	if (n == 1)
		return err_set(err, -ENOTSUP, "%s", dump->complaints.text.v[0]);
	const char *log = dump->opts->log_file;
	if (!log || !strcmp(log, "-"))
		return err_set(err, -ENOTSUP, "%zu objects of the tree cannot be dumped: see above",
			       n);
	return err_set(err, -ENOTSUP, "%zu objects of the tree cannot be dumped: see '%s%s%s'", n,
		       log[0] == '/' ? "" : dump->opts->work_dir, log[0] == '/' ? "" : "/", log);
}

static int check_alive(struct dump *dump, struct err *err)
{
	return dump->keeper ? keeper_check(dump->keeper, err) : 0;
}

static int extract(struct dump *dump, struct err *err)
{
	int ret = extract_contents(&dump->snap, &dump->gather, &dump->extract, err);

	if (ret == 0)
		ret = mem_scan(&dump->snap, dump->opts->compat != OPTS_COMPAT_CRIU, &dump->mem,
			       err);
	return ret;
}

static int write_memory(struct dump *dump, struct err *err)
{
	dump->memory_us = now_us();
	int ret = mem_write(&dump->snap, &dump->image, &dump->mem, dump->progress, err);
	dump->written_us = now_us();
	return ret;
}

/*
 * A tree that is to go on need not wait for the disk: all that is still missing is in crib's hands.
 * Not so with deleted files, whose contents are read as they are saved; and scripts of post-dump
 * expect it to stand.
 */
static int release_early(struct dump *dump, struct err *err)
{
	if (!dump->opts->leave_running || dump->opts->action_scripts.n || dump->snap.ghosts.n)
		return 0;
	int ret = thaw_tree(&dump->tree, THAW_RUN, err);
	dump->thawed_us = now_us();
	return ret;
}

static int save(struct dump *dump, struct err *err)
{
	const struct image_save_opts opts = { .compat_criu =
						      dump->opts->compat == OPTS_COMPAT_CRIU };
	int ret = snapshot_validate(&dump->snap, err);

	/* as criu: when asked, and for what */
	if (dump->opts->cpu_cap_given && dump->opts->cpu_cap)
		dump->snap.cpuinfo = arch_cpuinfo(&dump->snap.arena);
	return ret == 0 ? image_save(&dump->snap, &dump->image, &opts, err) : ret;
}

static int commit(struct dump *dump, struct err *err)
{
	return image_commit(&dump->image, err);
}

/* A script has the complete image before it, to copy it away, and may still say no. */
static int post_dump(struct dump *dump, struct err *err)
{
	int ret = run_script(dump, "post-dump", err);

	if (ret == 0)
		ret = check_alive(dump, err);
	if (ret == 0)
		image_settle(&dump->image);
	return ret;
}

struct stage {
	const char *name;
	int (*run)(struct dump *dump, struct err *err);
};

static int check_time(struct dump *dump, const struct stage *stage, uint64_t since, struct err *err)
{
	uint32_t timeout = dump->opts->timeout;

	if (!timeout || timeout == OPTS_TIMEOUT_UNSET || now_us() - since < timeout * 1000000ULL)
		return 0;
	return err_set(err, -ETIMEDOUT, "%s took more than %u s (--timeout)", stage->name, timeout);
}

/*
 * Threads that were borrowed to ask them have registers that are not their own; and each script has
 * the time of a phase.
 */
static size_t parts_of(const struct dump *dump, const struct stage *stage)
{
	if (stage->run == collect)
		return 0;
	return stage->run == post_dump ? dump->opts->action_scripts.n + 1 : 1;
}

static int run_stages(struct dump *dump, const struct stage *stages, struct err *err)
{
	for (; stages->run; stages++) {
		uint64_t since = now_us();
		int ret = check_alive(dump, err);

		log_debug("%s", stages->name);
		begin(dump, stages->name, parts_of(dump, stages));
		if (ret == 0)
			ret = stages->run(dump, err);
		if (ret == 0)
			ret = check_time(dump, stages, since, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* ---- The two ends ---- */

static void dump_init(struct dump *dump, const struct opts *opts)
{
	struct rlimit limit;

	*dump = (struct dump){ .opts = opts, .image.dirfd = -1 };
	snapshot_init(&dump->snap);
	gather_init(&dump->gather);
	/* one duplicate of every description of the tree is held at a time */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void dump_fini(struct dump *dump)
{
	engines_close(&dump->engines);
	if (dump->extract.snap)
		fd_extract_end(&dump->extract, NULL);
	complaints_fini(&dump->complaints);
	snapshot_fini(&dump->snap);
	gather_fini(&dump->gather);
}

static uint32_t us_between(uint64_t from, uint64_t to)
{
	return to > from ? (uint32_t)(to - from) : 0;
}

static void display_stats(const struct dump *dump, const DumpStatsEntry *entry)
{
	log_at(LOG_MSG, "Displaying dump stats:");
	log_at(LOG_MSG, "Engine: %s", entry->engine);
	log_at(LOG_MSG, "Engine load time: %u us", entry->load_time);
	log_at(LOG_MSG, "Freezing time: %u us", entry->freezing_time);
	log_at(LOG_MSG, "Frozen time: %u us", entry->frozen_time);
	log_at(LOG_MSG, "Collection time: %u us", entry->collect_time);
	log_at(LOG_MSG, "Memory dump time: %u us", entry->memdump_time);
	log_at(LOG_MSG, "Memory write time: %u us", entry->memwrite_time);
	log_at(LOG_MSG, "Memory pages scanned: %llu", (unsigned long long)entry->pages_scanned);
	log_at(LOG_MSG, "Memory pages written: %llu", (unsigned long long)entry->pages_written);
	log_at(LOG_MSG, "Memory pages shared: %llu", (unsigned long long)dump->mem.pages_shared);
}

static void write_stats(struct dump *dump)
{
	DumpStatsEntry entry = DUMP_STATS_ENTRY__INIT;
	StatsEntry stats = STATS_ENTRY__INIT;
	_cleanup_strbuf_ struct strbuf engine = { 0 };
	struct err err = ERR_INIT;

	stats.dump = &entry;
	engines_describe_used(&dump->engines, &engine);
	entry.engine = (char *)strbuf_str(&engine);
	entry.has_load_time = entry.has_collect_time = true;
	entry.load_time = us_between(dump->loading_us, dump->loaded_us);
	entry.collect_time = us_between(dump->frozen_us, dump->collected_us);
	entry.freezing_time = us_between(dump->start_us, dump->frozen_us);
	entry.frozen_time = us_between(dump->frozen_us, dump->thawed_us);
	entry.memdump_time = us_between(dump->collected_us, dump->memory_us);
	entry.memwrite_time = us_between(dump->memory_us, dump->written_us);
	entry.pages_scanned = dump->mem.pages_scanned;
	entry.pages_written = dump->mem.pages_written;
	entry.has_shpages_scanned = entry.has_shpages_written = true;
	entry.shpages_scanned = dump->mem.shmem_pages_scanned;
	entry.shpages_written = dump->mem.shmem_pages_written;
	if (dump->opts->display_stats)
		display_stats(dump, &entry);
	_cleanup_close_ int work_fd = open(dump->opts->work_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (work_fd < 0 || image_save_stats(work_fd, IMG_STATS_DUMP, &stats, &err) < 0)
		log_warn("statistics are not written: %s", err.text);
}

static int dump_in_keeper(struct keeper *keeper, void *ctx, struct err *err)
{
	static const struct stage stages[] = {
		{ "open the engines", open_engines },
		{ "freeze the tree", freeze },
		{ "check the tree", check_not_own_tree },
		{ "check the rights", check_end },
		{ "collect records", collect },
		{ "build the snapshot", build },
		{ "look for what cannot be dumped", refuse_unsupported },
		{ "extract contents", extract },
		{ "write memory", write_memory },
		{ "let the tree go", release_early },
		{ "save the image", save },
		{ "commit the image", commit },
		{ "run post-dump scripts", post_dump },
		{ 0 },
	};
	const struct opts *opts = ctx;
	struct err thaw_err = ERR_INIT;
	struct dump dump;

	dump_init(&dump, opts);
	dump.keeper = keeper;
	dump.progress = keeper->progress;
	begin(&dump, "open the images directory", 1);
	int ret = image_create(&dump.image, opts->images_dir, err);
	dump.image.undecided = &keeper->remains->image;
	begin(&dump, "run pre-dump scripts", opts->action_scripts.n + 1);
	if (ret == 0)
		ret = run_script(&dump, "pre-dump", err);
	if (ret == 0)
		ret = run_stages(&dump, stages, err);
	begin(&dump, "end the dump", 1);
	int thaw = thaw_tree(&dump.tree, ret == 0 ? thaw_how(opts) : THAW_RUN, &thaw_err);
	if (ret < 0)
		fd_extract_undo(&dump.extract);
	if (!dump.thawed_us)
		dump.thawed_us = now_us();
	if (ret == 0 && thaw < 0) {
		*err = thaw_err;
		ret = thaw;
	}
	if (ret == 0) {
		keeper_settle(keeper, ret);
		begin(&dump, "write the statistics", 1);
		write_stats(&dump);
		log_info("Dumping finished successfully");
	}
	image_fini(&dump.image);
	dump_fini(&dump);
	return ret;
}

/* Of a keeper that was killed: the names that it has made, its image and its folder. */
static void clean_up(void *ctx, const struct keeper_remains *remains)
{
	const struct opts *opts = ctx;
	struct image_dir dir;

	fd_extract_remove_names(remains->names, sizeof(remains->names));
	if (remains->image)
		image_remove(opts->images_dir);
	if (image_create(&dir, opts->images_dir, NULL) == 0)
		image_fini(&dir);
}

int dump_tree(const struct opts *opts, struct err *err)
{
	const struct keeper_job job = { dump_in_keeper, (void *)opts, clean_up };
	int status_fd = opts->status_fd;
	struct err late = ERR_INIT;
	int ret = ready_await(status_fd, opts_deadline(opts), err);

	if (ret == 0)
		ret = keeper_run(&job, err);
	if (ret == 0 && err->text[0])
		log_warn("%s", err->text);
	if (ret == 0 && ready_signal(&status_fd, opts_deadline(opts), &late) < 0)
		log_warn("%s", late.text);
	return ret;
}

/* ---- Inspect ---- */

struct inspect {
	const struct opts *opts;
	dump_show_fn *show;
	void *ctx;
};

/* What is seen only when contents are looked at is a complaint as well: the tree is shown without. */
static int extract_or_complain(struct dump *dump, struct err *err)
{
	int ret = extract(dump, err);

	if (ret != -ENOTSUP)
		return ret;
	*array_push(&dump->complaints.arena, &dump->complaints.text) =
		arena_printf(&dump->complaints.arena, "%s", err->text);
	*err = ERR_INIT;
	fd_extract_undo(&dump->extract);
	fd_extract_end(&dump->extract, NULL);
	snapshot_fini(&dump->snap);
	snapshot_init(&dump->snap);
	return build(dump, err);
}

static int inspect_in_keeper(struct keeper *keeper, void *ctx, struct err *err)
{
	static const struct stage stages[] = {
		{ "open the engines", open_engines },     { "freeze the tree", freeze },
		{ "check the tree", check_not_own_tree }, { "collect records", collect },
		{ "build the snapshot", build },          { 0 },
	};
	struct inspect *inspect = ctx;
	struct dump dump;

	dump_init(&dump, inspect->opts);
	dump.keeper = keeper;
	dump.progress = keeper->progress;
	int ret = run_stages(&dump, stages, err);
	if (ret == 0 && !dump.complaints.text.n)
		ret = extract_or_complain(&dump, err);
	fd_extract_undo(&dump.extract);
	thaw_tree(&dump.tree, THAW_RUN, NULL);
	if (ret == 0)
		ret = inspect->show(&dump.snap, &dump.complaints, inspect->ctx, err);
	dump_fini(&dump);
	return ret;
}

int dump_inspect(const struct opts *opts, dump_show_fn *show, void *ctx, struct err *err)
{
	struct inspect inspect = { .opts = opts, .show = show, .ctx = ctx };

	const struct keeper_job job = { .work = inspect_in_keeper, .ctx = &inspect };

	return keeper_run(&job, err);
}
