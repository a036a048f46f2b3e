/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * target DIR PART...: starts the parts and says on the board in DIR when all of them work.
 * "threads" stands for all parts of threads.c, "work" for those and the ones of processes.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "target.h"

enum { LATER_MAX = 16 };

static struct board *board;
static pid_t parent; /* of this process, 0 in the root */
static struct thread *later[LATER_MAX];
static size_t nr_later;

_Noreturn void die(const char *what)
{
	fprintf(stderr, "target: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the board ---- */

static void board_make(void)
{
	int fd = open(BOARD_NAME, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*board)))
		die("make the board");
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED)
		die("map the board");
	close(fd);
}

struct board_worker *worker_new(const char *name)
{
	uint32_t i = __atomic_fetch_add(&board->nr_workers, 1, __ATOMIC_SEQ_CST);
	if (i >= BOARD_WORKERS) {
		errno = ENOSPC;
		die("add a worker to the board");
	}
	snprintf(board->workers[i].name, sizeof(board->workers[i].name), "%s", name);
	return &board->workers[i];
}

void worker_beat(struct board_worker *worker)
{
	__atomic_add_fetch(&worker->beats, 1, __ATOMIC_SEQ_CST);
}

/* A process whose root is gone has nothing to say: what it misses died with that. */
static void end_if_orphaned(void)
{
	if (parent && getppid() != parent)
		_exit(0);
}

_Noreturn void worker_fail(const struct board_worker *worker, const char *fmt, ...)
{
	uint32_t nobody = 0;
	nap_us(50000);
	end_if_orphaned();
	if (__atomic_compare_exchange_n(&board->failed, &nobody, 1, false, __ATOMIC_SEQ_CST,
					__ATOMIC_SEQ_CST)) {
		va_list args;
		int n = snprintf(board->why, BOARD_WHY, "%s: ", worker->name);
		va_start(args, fmt);
		vsnprintf(board->why + n, BOARD_WHY - (size_t)n, fmt, args);
		va_end(args);
		__atomic_store_n(&board->failed, 2, __ATOMIC_SEQ_CST);
	}
	for (;;) {
		nap_us(50000);
		end_if_orphaned();
	}
}

void board_add_task(pid_t pid)
{
	uint32_t i = __atomic_fetch_add(&board->nr_tasks, 1, __ATOMIC_SEQ_CST);
	if (i >= BOARD_TASKS) {
		errno = ENOSPC;
		die("add a task to the board");
	}
	board->tasks[i] = pid;
}

/* ---- processes and threads ---- */

void process_start(struct process *process)
{
	pid_t self = getpid();
	process->worker = worker_new(process->name);
	process->pid = fork();
	if (process->pid < 0)
		die("fork");
	if (process->pid > 0) {
		board_add_task(process->pid);
		return;
	}
	parent = self;
	if (process->begin)
		process->begin(process);
	for (size_t i = 0;; i++) {
		end_if_orphaned();
		common_pages_check(process->worker, i);
		if (process->step)
			process->step(process);
		worker_beat(process->worker);
		nap_us(2000);
	}
}

static void *thread_main(void *arg)
{
	struct thread *thread = arg;
	if (thread->begin)
		thread->begin(thread);
	for (;;) {
		thread->step(thread);
		worker_beat(thread->worker);
	}
	return NULL;
}

void thread_start(struct thread *thread)
{
	enum { STACK_SIZE = 128 * 1024 };
	pthread_attr_t attr;
	pthread_t id;
	thread->worker = worker_new(thread->name);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	errno = pthread_create(&id, &attr, thread_main, thread);
	if (errno)
		die("start a thread");
	pthread_attr_destroy(&attr);
}

void thread_start_later(struct thread *thread)
{
	if (nr_later == LATER_MAX) {
		errno = ENOSPC;
		die(thread->name);
	}
	later[nr_later++] = thread;
}

/* ---- small things ---- */

void nap_us(unsigned int us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L };
	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

uint64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

void read_exactly(const struct board_worker *worker, int fd, void *buf, size_t size)
{
	ssize_t n = read(fd, buf, size);
	if (n < 0)
		worker_fail(worker, "read of %d: %s", fd, strerror(errno));
	if ((size_t)n != size)
		worker_fail(worker, "read of %d gave %zd bytes instead of %zu", fd, n, size);
}

void write_exactly(const struct board_worker *worker, int fd, const void *buf, size_t size)
{
	ssize_t n = write(fd, buf, size);
	if (n < 0)
		worker_fail(worker, "write to %d: %s", fd, strerror(errno));
	if ((size_t)n != size)
		worker_fail(worker, "write to %d took %zd bytes instead of %zu", fd, n, size);
}

void make_pipe(int fds[2])
{
	if (pipe(fds))
		die("make a pipe");
}

int open_here(const char *name, int flags)
{
	int fd = open(name, flags, 0644);
	if (fd < 0)
		die(name);
	return fd;
}

/* ---- the root ---- */

static const struct part *find_part(const struct part *parts, const char *name)
{
	for (; parts->name; parts++)
		if (!strcmp(parts->name, name))
			return parts;
	return NULL;
}

static void start_all(const struct part *parts)
{
	for (; parts->name; parts++)
		parts->start();
}

/* Processes come first: before a fork there is one thread only. */
static void start_processes(char **names)
{
	for (char **name = names; *name; name++) {
		const struct part *part = find_part(process_parts, *name);
		if (!part)
			part = find_part(odd_parts, *name);
		if (part)
			part->start();
		else if (!strcmp(*name, "work"))
			start_all(process_parts);
	}
}

static void start_threads(char **names)
{
	for (size_t i = 0; i < nr_later; i++)
		thread_start(later[i]);
	for (char **name = names; *name; name++) {
		const struct part *part = find_part(thread_parts, *name);
		if (part)
			part->start();
		else if (!strcmp(*name, "work") || !strcmp(*name, "threads"))
			start_all(thread_parts);
		else if (!find_part(process_parts, *name) && !find_part(odd_parts, *name)) {
			errno = EINVAL;
			die(*name);
		}
	}
}

static bool all_beat(void)
{
	for (uint32_t i = 0; i < board->nr_workers; i++)
		if (!__atomic_load_n(&board->workers[i].beats, __ATOMIC_SEQ_CST))
			return false;
	return true;
}

/* All that parts use: each is taken by one thread alone. */
static void block_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	for (int i = 0; i < TARGET_SIGNALS; i++)
		sigaddset(&set, SIGRTMIN + i);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int main(int argc, char **argv)
{
	if (argc < 3 || chdir(argv[1])) {
		fprintf(stderr, "usage: target DIR PART...\n");
		return 1;
	}
	block_signals();
	board_make();
	board_add_task(getpid());
	struct board_worker *worker = worker_new("root");
	common_pages_make();
	start_processes(argv + 2);
	start_threads(argv + 2);
	for (size_t i = 0;; i++) {
		common_pages_check(worker, i);
		worker_beat(worker);
		if (!board->ready && all_beat())
			__atomic_store_n(&board->ready, 1, __ATOMIC_SEQ_CST);
		nap_us(2000);
	}
}
