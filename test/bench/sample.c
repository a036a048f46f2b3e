/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Times one tool on one target of scripts/bench: dump, images, restore and the freeze that the
 * target sees. Every restored tree has to find itself unchanged, else the sample fails.
 *
 *	sample [-e ENGINE] TOOL TARGET NAME DIR		prints five numbers:
 *	dump us, freeze us, bytes of images, bytes of disk that they take, restore us
 *
 * DIR is empty before and is left to the caller to remove; DIR/out has what the tool printed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Seconds that a whole sample may take. */
#define TIME_LIMIT 300
#define MAX_ARGS   16

extern char **environ;

struct sample {
	const char *tool;
	const char *engine; /* NULL: the tool has none to choose */
	const char *program;
	const char *kind;
	int dir;
	struct bench_page *page;
	pid_t root;
};

/* For the handler alone: what is not to be left behind. */
static volatile pid_t live_root;
static volatile pid_t live_tool;

static void kill_live(void)
{
	if (live_tool > 0)
		kill(live_tool, SIGKILL);
	if (live_root > 0)
		kill(-live_root, SIGKILL);
}

static void on_end(int sig)
{
	static const char text[] = "sample: out of time\n";
	kill_live();
	if (sig == SIGALRM && write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(2);
	_exit(1);
}

static _Noreturn void die(const struct sample *s, const char *what, const char *why)
{
	kill_live();
	fprintf(stderr, "sample: %s%s%s, %s: %s: %s\n", s->tool, s->engine ? " " : "",
		s->engine ? s->engine : "", s->kind, what, why);
	exit(1);
}

static _Noreturn void die_errno(const struct sample *s, const char *what)
{
	die(s, what, strerror(errno));
}

static uint64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

static void sleep_us(long us)
{
	struct timespec ts = { .tv_nsec = us * 1000 };
	nanosleep(&ts, NULL);
}

/* Until *@word is @value, for @seconds at most. */
static bool await(_Atomic uint32_t *word, uint32_t value, unsigned int seconds)
{
	for (uint64_t end = now_us() + seconds * 1000000u; now_us() < end;) {
		if (*word == value)
			return true;
		sleep_us(500);
	}
	return *word == value;
}

/* Writes of an earlier step, still on their way to the disk, are not to slow the next one. */
static void settle(const struct sample *s)
{
	if (syncfs(s->dir) < 0)
		die_errno(s, "syncfs");
}

/* ---- the target ---- */

static void make_page(struct sample *s)
{
	int fd = openat(s->dir, "target/" BENCH_PAGE_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);
	if (fd < 0 || ftruncate(fd, sysconf(_SC_PAGESIZE)) < 0)
		die_errno(s, "make 'target/" BENCH_PAGE_FILE "'");
	s->page = mmap(NULL, sizeof(*s->page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (s->page == MAP_FAILED)
		die_errno(s, "mmap 'target/" BENCH_PAGE_FILE "'");
	close(fd);
}

static _Noreturn void become_target(const struct sample *s, const char *mode)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int dir = openat(s->dir, "target", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (setsid() < 0 || null < 0 || dir < 0 || fchdir(dir) < 0)
		die_errno(s, "prepare the target");
	for (int fd = 0; fd < 2; fd++)
		dup2(null, fd);
	int err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	dup2(null, STDERR_FILENO);
	/* what the caller's shell has left open is no part of a target */
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	execl(s->program, "target", s->kind, mode, (char *)NULL);
	dprintf(err, "sample: exec '%s': %s\n", s->program, strerror(errno));
	_exit(1);
}

static void start_target(struct sample *s, const char *mode)
{
	if (mkdirat(s->dir, "target", 0700) < 0)
		die_errno(s, "mkdir 'target'");
	make_page(s);
	s->root = fork();
	if (s->root < 0)
		die_errno(s, "fork");
	if (s->root == 0)
		become_target(s, mode);
	live_root = s->root;
	for (uint64_t end = now_us() + 30000000u; now_us() < end; sleep_us(500)) {
		uint32_t expect = s->page->expect;
		if (expect && s->page->ready == expect)
			return;
		if (waitpid(s->root, NULL, WNOHANG) == s->root)
			die(s, "target", "cannot set itself up: run it by hand");
	}
	die(s, "target", "is not ready after 30 s");
}

static void reap_all(void)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* Asks every task of the tree whether all is as it was. */
static void check_target(const struct sample *s, const char *after)
{
	s->page->checked = 0;
	s->page->wrong = 0;
	if (kill(s->root, SIGUSR1) < 0)
		die_errno(s, after);
	if (!await(&s->page->checked, s->page->expect, 30))
		die(s, after, "the target is not alive as a whole");
	if (s->page->wrong)
		die(s, after, "the target is changed");
}

static void end_target(struct sample *s)
{
	kill(-s->root, SIGKILL);
	reap_all();
	live_root = 0;
	munmap(s->page, sizeof(*s->page));
}

/* ---- the tool ---- */

/* Returns the microseconds from its start to its end. */
static uint64_t run_tool(const struct sample *s, char *const *argv)
{
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "out", O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	pid_t tool;
	uint64_t start = now_us();
	errno = posix_spawn(&tool, s->tool, &actions, NULL, argv, environ);
	if (errno)
		die_errno(s, s->tool);
	live_tool = tool;
	int status;
	while (waitpid(tool, &status, 0) < 0)
		;
	uint64_t took = now_us() - start;
	live_tool = 0;
	posix_spawn_file_actions_destroy(&actions);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die(s, argv[1], WIFEXITED(status) ? "failed" : "was killed by a signal");
	return took;
}

/* Logs and statistics go elsewhere, so that the folder holds images alone. */
static uint64_t run_command(const struct sample *s, char *command, char *last1, char *last2)
{
	char *argv[MAX_ARGS] = { (char *)s->tool, command, "-D", "images", "-W", "work" };
	int n = 6;
	bool is_dump = !strcmp(command, "dump");
	if (s->engine && is_dump) {
		argv[n++] = "--engine";
		argv[n++] = (char *)s->engine;
	}
	argv[n++] = "-o";
	argv[n++] = is_dump ? "dump.log" : "restore.log";
	if (last1)
		argv[n++] = last1;
	if (last2)
		argv[n++] = last2;
	settle(s);
	return run_tool(s, argv);
}

static uint64_t dump(const struct sample *s, char *option)
{
	char pid[32];
	snprintf(pid, sizeof(pid), "--tree=%d", (int)s->root);
	return run_command(s, "dump", pid, option);
}

struct size {
	uint64_t bytes;
	uint64_t disk;
};

static void add_size(const struct sample *s, int dir, const char *name, struct size *ret_size)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		die_errno(s, name);
	struct dirent *de;
	while ((de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		struct stat st;
		if (fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			die_errno(s, de->d_name);
		if (S_ISDIR(st.st_mode)) {
			add_size(s, fd, de->d_name, ret_size);
			continue;
		}
		ret_size->bytes += (uint64_t)st.st_size;
		ret_size->disk += (uint64_t)st.st_blocks * 512;
	}
	closedir(d);
}

/*
 * Nothing is removed before all is measured: for minutes ext4 makes files anew only after a look at
 * each inode that was freed not long ago, which took more than the dump.
 */
static void put_aside(const struct sample *s)
{
	static const char *const dirs[] = { "images", "work", "target" };
	char name[32];

	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		snprintf(name, sizeof(name), "%s.freeze", dirs[i]);
		if (renameat(s->dir, dirs[i], s->dir, name) < 0)
			die_errno(s, dirs[i]);
	}
}

static void make_work_dirs(const struct sample *s)
{
	if (mkdirat(s->dir, "images", 0700) < 0 || mkdirat(s->dir, "work", 0700) < 0)
		die_errno(s, "mkdir 'images' and 'work'");
}

/* ---- a sample ---- */

static uint32_t measure_freeze(struct sample *s)
{
	make_work_dirs(s);
	start_target(s, "spin");
	sleep_us(20000);
	settle(s);
	uint32_t round = ++s->page->round;
	if (!await(&s->page->gap_round, round, 5))
		die(s, "target", "does not spin");
	dump(s, "--leave-running");
	sleep_us(20000);
	uint32_t gap = s->page->gap_us;
	check_target(s, "after the dump");
	end_target(s);
	put_aside(s);
	return gap;
}

static void catch_signals(void)
{
	struct sigaction act = { .sa_handler = on_end };
	static const int signals[] = { SIGALRM, SIGHUP, SIGINT, SIGTERM };
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &act, NULL);
}

int main(int argc, char **argv)
{
	struct sample s = { .tool = "sample" };
	if (argc > 2 && !strcmp(argv[1], "-e")) {
		s.engine = argv[2];
		argc -= 2;
		argv += 2;
	}
	if (argc != 5) {
		fprintf(stderr, "usage: sample [-e ENGINE] TOOL TARGET NAME DIR\n");
		return 2;
	}
	s.tool = argv[1];
	s.program = argv[2];
	s.kind = argv[3];
	s.dir = open(argv[4], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir < 0 || fchdir(s.dir) < 0)
		die_errno(&s, argv[4]);
	/* what the tools and targets leave is reaped here: a pid has to be free to be restored */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		die_errno(&s, "PR_SET_CHILD_SUBREAPER");
	catch_signals();
	alarm(TIME_LIMIT);

	uint32_t freeze_us = measure_freeze(&s);
	make_work_dirs(&s);
	start_target(&s, "wait");
	uint64_t dump_us = dump(&s, NULL);
	reap_all();
	struct size size = { 0 };
	add_size(&s, s.dir, "images", &size);
	uint64_t restore_us = run_command(&s, "restore", "--restore-detached", NULL);
	check_target(&s, "after the restore");
	end_target(&s);
	printf("%" PRIu64 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", dump_us, freeze_us,
	       size.bytes, size.disk, restore_us);
	return 0;
}
