/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking at targets, see watch.h. Every look is repeated for a while before it says no: on a busy
 * machine a keeper needs its time to undo what it did.
 */
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "footprint.h"
#include "tree.h"
#include "util.h"

enum {
	READY_MS = 20000,
	WORK_MS = 10000,
	SAME_MS = 1500,
	GONE_MS = 10000,
	STRAY_MS = 5000,
	BEATS = 2, /* the first may have been under way when it was looked at */
};

bool target_open(struct target *target, const char *dir)
{
	char path[PATH_MAX];
	*target = (struct target){ 0 };
	path_fmt(target->dir, "%s", dir);
	path_fmt(path, "%s/%s", dir, BOARD_NAME);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || lseek(fd, 0, SEEK_END) < (off_t)sizeof(*target->board)) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	target->board = mmap(NULL, sizeof(*target->board), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	return target->board != MAP_FAILED;
}

void target_close(struct target *target)
{
	munmap((void *)target->board, sizeof(*target->board));
	free(target->footprint);
	*target = (struct target){ 0 };
}

pid_t target_start(const char *program, const char *dir, const char *const *parts)
{
	enum { ARGS_MAX = 32 };
	char path[PATH_MAX];
	const char *argv[ARGS_MAX] = { program, dir };
	for (size_t i = 0; parts[i] && i + 3 < ARGS_MAX; i++)
		argv[i + 2] = parts[i];
	path_fmt(path, "%s/%s", dir, BOARD_NAME);
	unlink(path);
	pid_t pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	int null = open("/dev/null", O_RDWR);
	setsid();
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execv(program, (char *const *)argv);
	_exit(127);
}

/* ---- looks ---- */

/* Waits a little; false when the time is over. */
static bool wait_more(uint64_t until)
{
	sleep_ms(1);
	reap(0, NULL);
	return now_ms() < until;
}

static bool has_failed(const struct target *target, char why[WATCH_WHY])
{
	const struct board *board = target->board;
	if (!__atomic_load_n(&board->failed, __ATOMIC_SEQ_CST))
		return false;
	for (int i = 0; i < 100 && __atomic_load_n(&board->failed, __ATOMIC_SEQ_CST) == 1; i++)
		sleep_ms(1);
	snprintf(why, WATCH_WHY, "the target found: %.*s", BOARD_WHY, board->why);
	return true;
}

bool target_ready(const struct target *target, char why[WATCH_WHY])
{
	uint64_t until = now_ms() + READY_MS;
	do {
		if (has_failed(target, why))
			return false;
		if (__atomic_load_n(&target->board->ready, __ATOMIC_SEQ_CST))
			return true;
	} while (wait_more(until));
	snprintf(why, WATCH_WHY, "the target is not ready in time");
	return false;
}

static uint64_t beats_of(const struct target *target, uint32_t worker)
{
	return __atomic_load_n(&target->board->workers[worker].beats, __ATOMIC_SEQ_CST);
}

/* The first worker that has not gone on since @before; NULL: all have. */
static const char *find_idle(const struct target *target, const uint64_t *before)
{
	for (uint32_t i = 0; i < target->board->nr_workers; i++) {
		const char *name = target->board->workers[i].name;
		if (name[0] != '-' && beats_of(target, i) < before[i] + BEATS)
			return name;
	}
	return NULL;
}

bool target_works(const struct target *target, char why[WATCH_WHY])
{
	uint64_t before[BOARD_WORKERS], until = now_ms() + WORK_MS;
	const char *idle;
	for (uint32_t i = 0; i < target->board->nr_workers; i++)
		before[i] = beats_of(target, i);
	do {
		if (has_failed(target, why))
			return false;
		idle = find_idle(target, before);
		if (!idle)
			return true;
	} while (target_lives(target) && wait_more(until));
	snprintf(why, WATCH_WHY, "the target's worker '%s' does nothing%s", idle,
		 target_lives(target) ? "" : ": the target is dead");
	return false;
}

static void list_tasks(const struct target *target, struct tree *tree)
{
	tree->n = target->board->nr_tasks;
	for (size_t i = 0; i < tree->n; i++)
		tree->pids[i] = target->board->tasks[i];
}

char *target_footprint(const struct target *target)
{
	/* signals are under way all the time */
	const struct test_opts opts = { .varies = { "SigPnd", "ShdPnd" } };
	struct tree tree;
	list_tasks(target, &tree);
	return footprint_take(&tree, &opts);
}

bool target_same(const struct target *target, char why[WATCH_WHY])
{
	uint64_t until = now_ms() + SAME_MS;
	char *diff = NULL;
	size_t size, n;
	do {
		char *now = target_footprint(target);
		free(diff);
		FILE *out = open_memstream(&diff, &size);
		if (!out)
			die("out of memory");
		n = footprint_diff(out, target->footprint, now);
		fclose(out);
		free(now);
	} while (n && wait_more(until));
	if (n)
		snprintf(why, WATCH_WHY, "the target is not as it was:\n%s", diff);
	free(diff);
	return n == 0;
}

bool target_gone(const struct target *target, char why[WATCH_WHY])
{
	uint64_t until = now_ms() + GONE_MS;
	pid_t left;
	do {
		left = 0;
		for (uint32_t i = 0; i < target->board->nr_tasks && !left; i++)
			if (!kill(target->board->tasks[i], 0) || errno != ESRCH)
				left = target->board->tasks[i];
	} while (left && wait_more(until));
	if (left)
		snprintf(why, WATCH_WHY, "task %d of the target is there", left);
	return !left;
}

bool target_lives(const struct target *target)
{
	char path[PATH_MAX];
	struct stat_fields stat;
	path_fmt(path, "/proc/%d/stat", target->board->tasks[0]);
	return stat_read(&stat, path) && !strpbrk(stat.field[3], "ZX");
}

void target_kill(const struct target *target)
{
	char why[WATCH_WHY];
	for (uint32_t i = 0; i < target->board->nr_tasks; i++)
		kill(target->board->tasks[i], SIGKILL);
	target_gone(target, why);
}

/* ---- processes that should not be ---- */

/* Whether it descends from a task of the target: a child that comes and goes. */
static bool is_targets(const struct target *target, pid_t pid)
{
	char path[PATH_MAX];
	for (int depth = 0; target && pid > 1 && depth < 100; depth++) {
		struct stat_fields stat;
		unsigned int ppid;
		for (uint32_t i = 0; i < target->board->nr_tasks; i++)
			if (target->board->tasks[i] == pid)
				return true;
		path_fmt(path, "/proc/%d/stat", pid);
		if (!stat_read(&stat, path) || !parse_number(stat.field[4], &ppid))
			return true; /* gone by now */
		pid = (pid_t)ppid;
	}
	return false;
}

static pid_t find_stray(pid_t top, pid_t except, const struct target *target)
{
	struct tree tree, excepted = { .n = 0 };
	tree_list(&tree, top);
	if (except)
		tree_list(&excepted, except);
	for (size_t i = 1; i < tree.n; i++)
		if (!tree_has(&excepted, tree.pids[i]) && !is_targets(target, tree.pids[i]) &&
		    !kill(tree.pids[i], 0))
			return tree.pids[i];
	return 0;
}

bool no_strays(pid_t top, pid_t except, const struct target *target, char why[WATCH_WHY])
{
	uint64_t until = now_ms() + STRAY_MS;
	pid_t stray;
	do {
		reap(0, NULL);
		stray = find_stray(top, except, target);
	} while (stray && wait_more(until));
	if (stray) {
		char path[PATH_MAX];
		path_fmt(path, "/proc/%d/comm", stray);
		char *comm = slurp(path);
		snprintf(why, WATCH_WHY, "there is a stray process %d (%.*s)", stray,
			 comm ? (int)strcspn(comm, "\n") : 1, comm ? comm : "?");
		free(comm);
	}
	return !stray;
}

void watch_begin(void)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
		die("become a subreaper: %s", strerror(errno));
	/* its own terminals, too: elsewhere somebody may take the number of one that is dumped */
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
		mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
		      "newinstance,ptmxmode=0666,mode=620");
}

bool reap(pid_t pid, int *ret_status)
{
	bool found = false;
	pid_t ended;
	int status;
	while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
		if (ended != pid)
			continue;
		found = true;
		if (ret_status)
			*ret_status = status;
	}
	return found;
}
