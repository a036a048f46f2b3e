/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The targets of scripts/bench: makes one kind of state in a large number, then waits, and looks
 * at itself again for each SIGUSR1. With "spin" the first process measures its own freeze.
 *
 *	target NAME wait|spin		in a scratch directory that holds the page file
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define MEM_BYTES    (256u << 20)
#define SHARED_BYTES (64u << 20)
#define SHARED_FORKS 8
#define NR_THREADS   200
#define NR_PROCS     100
#define NR_FILES     2000
#define NR_PIPES     500
#define NR_VMAS      5000
#define PIPE_TEXT    "what stands in a pipe"

#define MAX_CHILDREN 128

struct target {
	struct bench_page *page;
	pid_t children[MAX_CHILDREN];
	int nr_children;
	/* What check() compares with: a mapping and its checksum, or descriptors. */
	unsigned char *mem;
	size_t mem_bytes;
	size_t mem_step;
	uint64_t sum;
	int *fds;
	int nr_fds;
	/* Threads wait for the generation to change. */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned int generation;
};

struct kind {
	const char *name;
	void (*setup)(struct target *t);
	bool (*check)(struct target *t);
};

static volatile sig_atomic_t asked;

static void on_ask(int sig)
{
	(void)sig;
	asked = 1;
}

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "target: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- memory ---- */

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Every page differs from every other, none is zero and none packs well. */
static void fill(unsigned char *mem, size_t bytes, size_t step)
{
	uint64_t state = 88172645463325252u;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t at = 0; at < bytes; at += step) {
		for (size_t i = 0; i < page; i += sizeof(state)) {
			next_random(&state);
			memcpy(mem + at + i, &state, sizeof(state));
		}
	}
}

static uint64_t sum(const unsigned char *mem, size_t bytes, size_t step)
{
	uint64_t total = 0;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (size_t at = 0; at < bytes; at += step) {
		for (size_t i = 0; i < page; i += sizeof(total)) {
			uint64_t word;
			memcpy(&word, mem + at + i, sizeof(word));
			total = (total << 1 | total >> 63) ^ word;
		}
	}
	return total;
}

static void map_filled(struct target *t, size_t bytes, size_t step)
{
	t->mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->mem == MAP_FAILED)
		die("mmap");
	t->mem_bytes = bytes;
	t->mem_step = step;
	fill(t->mem, bytes, step);
	t->sum = sum(t->mem, bytes, step);
}

static bool check_mem(struct target *t)
{
	return !t->mem || sum(t->mem, t->mem_bytes, t->mem_step) == t->sum;
}

/* ---- children ---- */

static bool check_and_tell(struct target *t, bool (*check)(struct target *t))
{
	bool fine = check(t);
	if (!fine)
		atomic_fetch_add(&t->page->wrong, 1);
	atomic_fetch_add(&t->page->checked, 1);
	return fine;
}

/* Sleeps until SIGUSR1 has come, which is blocked elsewhere and so cannot come too early. */
static void wait_for_ask(void)
{
	sigset_t none;
	sigemptyset(&none);
	while (!asked)
		sigsuspend(&none);
	asked = 0;
}

static void fork_children(struct target *t, int nr)
{
	for (int i = 0; i < nr; i++) {
		pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0) {
			atomic_fetch_add(&t->page->ready, 1);
			while (true) {
				wait_for_ask();
				check_and_tell(t, check_mem);
			}
		}
		t->children[t->nr_children++] = pid;
	}
}

/* ---- the kinds ---- */

static void setup_small(struct target *t)
{
	(void)t;
}

static void setup_mem(struct target *t)
{
	map_filled(t, MEM_BYTES, (size_t)sysconf(_SC_PAGESIZE));
}

static void setup_shared(struct target *t)
{
	map_filled(t, SHARED_BYTES, (size_t)sysconf(_SC_PAGESIZE));
	fork_children(t, SHARED_FORKS);
}

static void setup_procs(struct target *t)
{
	fork_children(t, NR_PROCS - 1);
}

static void *thread_main(void *arg)
{
	struct target *t = arg;
	unsigned int seen = 0;
	atomic_fetch_add(&t->page->ready, 1);
	pthread_mutex_lock(&t->lock);
	while (true) {
		while (t->generation == seen)
			pthread_cond_wait(&t->cond, &t->lock);
		seen = t->generation;
		atomic_fetch_add(&t->page->checked, 1);
	}
	return NULL;
}

static void setup_threads(struct target *t)
{
	for (int i = 0; i < NR_THREADS - 1; i++) {
		pthread_t thread;
		errno = pthread_create(&thread, NULL, thread_main, t);
		if (errno)
			die("pthread_create");
	}
}

static bool check_threads(struct target *t)
{
	pthread_mutex_lock(&t->lock);
	t->generation++;
	pthread_cond_broadcast(&t->cond);
	pthread_mutex_unlock(&t->lock);
	return true;
}

static void make_fds(struct target *t, int nr)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("getrlimit");
	if (limit.rlim_cur < (rlim_t)nr + 64) {
		limit.rlim_cur = (rlim_t)nr + 64;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			die("setrlimit(RLIMIT_NOFILE)");
	}
	t->fds = calloc((size_t)nr, sizeof(*t->fds));
	if (!t->fds)
		die("calloc");
	t->nr_fds = nr;
}

static void setup_files(struct target *t)
{
	make_fds(t, NR_FILES);
	if (mkdir("files", 0700) < 0)
		die("mkdir 'files'");
	for (int i = 0; i < NR_FILES; i++) {
		char name[32];
		snprintf(name, sizeof(name), "files/%d", i);
		t->fds[i] = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (t->fds[i] < 0)
			die(name);
		if (ftruncate(t->fds[i], NR_FILES) < 0 || lseek(t->fds[i], i, SEEK_SET) != i)
			die(name);
	}
}

static bool check_files(struct target *t)
{
	for (int i = 0; i < t->nr_fds; i++) {
		if (lseek(t->fds[i], 0, SEEK_CUR) != i)
			return false;
	}
	return true;
}

static void setup_pipes(struct target *t)
{
	make_fds(t, 2 * NR_PIPES);
	for (int i = 0; i < t->nr_fds; i += 2) {
		if (pipe(t->fds + i) < 0)
			die("pipe");
		if (write(t->fds[i + 1], PIPE_TEXT, sizeof(PIPE_TEXT)) != sizeof(PIPE_TEXT))
			die("write to a pipe");
	}
}

/* Puts back what it reads, so that it can be asked again. */
static bool check_pipes(struct target *t)
{
	for (int i = 0; i < t->nr_fds; i += 2) {
		char text[sizeof(PIPE_TEXT)];
		if (read(t->fds[i], text, sizeof(text)) != sizeof(text) ||
		    memcmp(text, PIPE_TEXT, sizeof(text)) ||
		    write(t->fds[i + 1], text, sizeof(text)) != sizeof(text))
			return false;
	}
	return true;
}

/* Pages that may be written alternate with pages that may only be read, so none can merge. */
static void setup_vmas(struct target *t)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	map_filled(t, NR_VMAS * page, 2 * page);
	for (size_t at = page; at < NR_VMAS * page; at += 2 * page) {
		if (mprotect(t->mem + at, page, PROT_READ) < 0)
			die("mprotect");
	}
}

static const struct kind kinds[] = {
	{ .name = "small", .setup = setup_small, .check = check_mem },
	{ .name = "mem256", .setup = setup_mem, .check = check_mem },
	{ .name = "shared64x8", .setup = setup_shared, .check = check_mem },
	{ .name = "threads200", .setup = setup_threads, .check = check_threads },
	{ .name = "procs100", .setup = setup_procs, .check = check_mem },
	{ .name = "files2000", .setup = setup_files, .check = check_files },
	{ .name = "pipes500", .setup = setup_pipes, .check = check_pipes },
	{ .name = "vmas5000", .setup = setup_vmas, .check = check_mem },
};

/* ---- the first process ---- */

static uint64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

/* Runs without a pause until SIGUSR1 has come: what the clock jumps is time not given to us. */
static void spin_until_ask(struct bench_page *page)
{
	uint64_t last = now_us();
	uint32_t max = 0;
	while (!asked) {
		if (page->round != page->gap_round) {
			max = 0;
			page->gap_us = 0;
			page->gap_round = page->round;
			last = now_us();
		}
		uint64_t now = now_us();
		if (now - last > max) {
			max = (uint32_t)(now - last);
			page->gap_us = max;
		}
		last = now;
	}
	asked = 0;
}

static struct bench_page *map_page(void)
{
	int fd = open(BENCH_PAGE_FILE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("open '" BENCH_PAGE_FILE "'");
	void *page =
		mmap(NULL, sizeof(struct bench_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		die("mmap '" BENCH_PAGE_FILE "'");
	close(fd);
	return page;
}

/* Blocks SIGUSR1 before the first fork and thread; the spinning process takes it as it comes. */
static void set_signals(void)
{
	struct sigaction act = { .sa_handler = on_ask, .sa_flags = SA_RESTART };
	if (sigaction(SIGUSR1, &act, NULL) < 0)
		die("sigaction");
	sigset_t block;
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	if (sigprocmask(SIG_BLOCK, &block, NULL) < 0)
		die("sigprocmask");
}

static _Noreturn void serve(struct target *t, const struct kind *kind, bool spin)
{
	sigset_t none;
	sigemptyset(&none);
	if (spin && sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		die("sigprocmask");
	atomic_fetch_add(&t->page->ready, 1);
	while (true) {
		if (spin)
			spin_until_ask(t->page);
		else
			wait_for_ask();
		for (int i = 0; i < t->nr_children; i++)
			kill(t->children[i], SIGUSR1);
		check_and_tell(t, kind->check);
	}
}

static uint32_t count_expected(const struct kind *kind, const struct target *t)
{
	return kind->setup == setup_threads ? NR_THREADS : 1 + (uint32_t)t->nr_children;
}

int main(int argc, char **argv)
{
	static struct target t = { .lock = PTHREAD_MUTEX_INITIALIZER,
				   .cond = PTHREAD_COND_INITIALIZER };
	const struct kind *kind = NULL;
	for (size_t i = 0; argc == 3 && i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(kinds[i].name, argv[1]))
			kind = &kinds[i];
	}
	if (!kind) {
		fprintf(stderr, "usage: target NAME wait|spin, NAME one of:\n");
		for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
			fprintf(stderr, "%s\n", kinds[i].name);
		return 2;
	}
	t.page = map_page();
	set_signals();
	kind->setup(&t);
	t.page->expect = count_expected(kind, &t);
	serve(&t, kind, !strcmp(argv[2], "spin"));
}
