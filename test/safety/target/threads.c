/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parts that are threads of the root: memory, registers with a signal handler, system calls that
 * must be done once and those that sleep.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "target.h"

/* ---- memory: pages that change all the time, and a sum of them all ---- */

enum { MEMORY_PAGES = 512, MEMORY_STRIDE = 37, MEMORY_AT_ONCE = 16 };

static struct {
	struct page *pages;
	uint64_t generation[MEMORY_PAGES], total, steps;
} memory;

static void memory_step(struct thread *thread)
{
	for (int i = 0; i < MEMORY_AT_ONCE; i++) {
		size_t at = ++memory.steps * MEMORY_STRIDE % MEMORY_PAGES;
		struct page *page = &memory.pages[at];
		page_check(thread->worker, page, at, memory.generation[at]);
		memory.total ^= page->sum;
		page_fill(page, at, ++memory.generation[at]);
		memory.total ^= page->sum;
	}
	if (memory.steps % MEMORY_PAGES == 0) {
		uint64_t total = 0;
		for (size_t at = 0; at < MEMORY_PAGES; at++) {
			page_check(thread->worker, &memory.pages[at], at, memory.generation[at]);
			total ^= memory.pages[at].sum;
		}
		if (total != memory.total)
			worker_fail(thread->worker, "the sum of all pages is wrong");
	}
	nap_us(1000);
}

static void start_memory(void)
{
	static struct thread thread = { .name = "memory", .step = memory_step };
	memory.pages = pages_map(MEMORY_PAGES, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	for (size_t at = 0; at < MEMORY_PAGES; at++) {
		page_fill(&memory.pages[at], at, 0);
		memory.total ^= memory.pages[at].sum;
	}
	thread_start(&thread);
}

/* ---- registers: a computation that stays in them, interrupted by a timer's signal ---- */

enum { TIMER_PERIOD_MS = 3, ROUNDS = 4000 };

static struct board_worker *handler_worker;
static double right_result;

static double compute(double x)
{
	double a = x, b = 0.5, c = 1.25, d = 3.0, e = 0.125, f = 7.0;
	for (int i = 0; i < ROUNDS; i++) {
		a = a * 0.999 + b;
		b = b * 0.998 + c * 0.001;
		c = c * 0.997 + d * 0.002;
		d = d * 0.996 + e * 0.003;
		e = e * 0.995 + f * 0.004;
		f = f * 0.994 + a * 0.005;
	}
	return a + b + c + d + e + f;
}

static void on_timer(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_code != SI_TIMER || info->si_value.sival_int != 4711)
		worker_fail(handler_worker, "signal %d with code %d and value %d", sig,
			    info->si_code, info->si_value.sival_int);
	if (compute(1.0) != right_result)
		worker_fail(handler_worker, "the computation in the handler is wrong");
	worker_beat(handler_worker);
}

static void registers_begin(struct thread *thread)
{
	sigset_t set;
	(void)thread;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + TIMER_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void registers_step(struct thread *thread)
{
	for (uint64_t until = now_us() + 2000; now_us() < until;)
		if (compute(1.0) != right_result)
			worker_fail(thread->worker, "the computation is wrong");
	nap_us(3000);
}

static void start_registers(void)
{
	static struct thread thread = { .name = "registers",
					.begin = registers_begin,
					.step = registers_step };
	int sig = SIGRTMIN + TIMER_SIGNAL;
	struct sigaction act = { .sa_sigaction = on_timer,
				 .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
				  .sigev_signo = sig,
				  .sigev_value.sival_int = 4711 };
	struct itimerspec spec = { .it_interval.tv_nsec = TIMER_PERIOD_MS * 1000000L,
				   .it_value.tv_nsec = TIMER_PERIOD_MS * 1000000L };
	timer_t timer;
	right_result = compute(1.0);
	handler_worker = worker_new("handler");
	thread_start(&thread);
	if (sigaction(sig, &act, NULL) || timer_create(CLOCK_MONOTONIC, &event, &timer) ||
	    timer_settime(timer, 0, &spec, NULL))
		die("start a timer");
}

/* ---- pipe: every write and every read happens once ---- */

static int own_pipe[2];

static void pipe_step(struct thread *thread)
{
	static uint32_t sequence;
	for (int i = 0; i < 64; i++) {
		uint32_t got;
		sequence++;
		write_exactly(thread->worker, own_pipe[1], &sequence, sizeof(sequence));
		read_exactly(thread->worker, own_pipe[0], &got, sizeof(got));
		if (got != sequence)
			worker_fail(thread->worker, "%u came out of the pipe instead of %u", got,
				    sequence);
	}
	nap_us(500);
}

static void start_pipe(void)
{
	static struct thread thread = { .name = "pipe", .step = pipe_step };
	make_pipe(own_pipe);
	thread_start(&thread);
}

/* ---- futex: two threads that take turns ---- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int turn;
} hand_over = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void futex_step(struct thread *thread)
{
	int mine = (int)(intptr_t)thread->data;
	pthread_mutex_lock(&hand_over.lock);
	while (hand_over.turn != mine)
		pthread_cond_wait(&hand_over.changed, &hand_over.lock);
	hand_over.turn = !mine;
	pthread_cond_broadcast(&hand_over.changed);
	pthread_mutex_unlock(&hand_over.lock);
	if (mine)
		nap_us(1000);
}

static void start_futex(void)
{
	static struct thread threads[] = {
		{ .name = "futex 0", .step = futex_step, .data = (void *)0 },
		{ .name = "futex 1", .step = futex_step, .data = (void *)1 },
	};
	thread_start(&threads[0]);
	thread_start(&threads[1]);
}

/* ---- sleeping calls: they end neither early nor with an error ---- */

static void expect_slept(const struct thread *thread, uint64_t since, unsigned int us)
{
	uint64_t slept = now_us() - since;
	if (slept < us)
		worker_fail(thread->worker, "slept %llu us instead of %u",
			    (unsigned long long)slept, us);
}

static void nanosleep_step(struct thread *thread)
{
	enum { SLEEP_US = 5000 };
	const struct timespec ts = { .tv_nsec = SLEEP_US * 1000L };
	uint64_t since = now_us();
	if (nanosleep(&ts, NULL))
		worker_fail(thread->worker, "nanosleep: %s", strerror(errno));
	expect_slept(thread, since, SLEEP_US);
}

static void start_nanosleep(void)
{
	static struct thread thread = { .name = "nanosleep", .step = nanosleep_step };
	thread_start(&thread);
}

static void poll_step(struct thread *thread)
{
	enum { POLL_MS = 7 };
	static int empty[2] = { -1, -1 };
	if (empty[0] < 0)
		make_pipe(empty);
	struct pollfd fd = { .fd = empty[0], .events = POLLIN };
	uint64_t since = now_us();
	int n = poll(&fd, 1, POLL_MS);
	if (n < 0)
		worker_fail(thread->worker, "poll: %s", strerror(errno));
	if (n > 0)
		worker_fail(thread->worker, "poll: events %x of a pipe in which nothing is",
			    fd.revents);
	expect_slept(thread, since, POLL_MS * 1000);
}

static void start_poll(void)
{
	static struct thread thread = { .name = "poll", .step = poll_step };
	thread_start(&thread);
}

static int timer_fd;

static void timerfd_step(struct thread *thread)
{
	uint64_t expirations;
	read_exactly(thread->worker, timer_fd, &expirations, sizeof(expirations));
	if (!expirations)
		worker_fail(thread->worker, "a timer without expirations");
}

static void start_timerfd(void)
{
	static struct thread thread = { .name = "timerfd", .step = timerfd_step };
	const struct itimerspec spec = { .it_interval.tv_nsec = 4000000,
					 .it_value.tv_nsec = 4000000 };
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (timer_fd < 0 || timerfd_settime(timer_fd, 0, &spec, NULL))
		die("make a timerfd");
	thread_start(&thread);
}

/* ---- file: blocks that are written and read back, at a position that stays ---- */

enum { FILE_BLOCKS = 64, FILE_BLOCK = 512, FILE_POSITION = 4096 };

static int data_fd;

static void file_step(struct thread *thread)
{
	static uint32_t step;
	unsigned char mine[FILE_BLOCK], got[FILE_BLOCK];
	off_t at = (off_t)(step % FILE_BLOCKS) * FILE_BLOCK;
	/*
	 * A block always gets the same: a tree that goes on after its dump, and is restored from
	 * that image when it is dead, finds what it wrote later.
	 */
	memset(mine, (int)(step % FILE_BLOCKS) + 1, sizeof(mine));
	step++;
	if (pwrite(data_fd, mine, sizeof(mine), at) != FILE_BLOCK)
		worker_fail(thread->worker, "pwrite: %s", strerror(errno));
	if (pread(data_fd, got, sizeof(got), at) != FILE_BLOCK)
		worker_fail(thread->worker, "pread: %s", strerror(errno));
	if (memcmp(mine, got, sizeof(mine)))
		worker_fail(thread->worker, "the block at %lld is not what was written",
			    (long long)at);
	off_t position = lseek(data_fd, 0, SEEK_CUR);
	if (position != FILE_POSITION)
		worker_fail(thread->worker, "the position is %lld", (long long)position);
	nap_us(1000);
}

static void start_file(void)
{
	static struct thread thread = { .name = "file", .step = file_step };
	/* one more, of which nothing is asked but to be there */
	close(open_here("input", O_RDWR | O_CREAT | O_TRUNC));
	open_here("input", O_RDONLY);
	data_fd = open_here("data", O_RDWR | O_CREAT | O_TRUNC);
	if (ftruncate(data_fd, (off_t)FILE_BLOCKS * FILE_BLOCK) ||
	    lseek(data_fd, FILE_POSITION, SEEK_SET) < 0)
		die("make the data file");
	thread_start(&thread);
}

const struct part thread_parts[] = {
	{ "memory", start_memory },   { "registers", start_registers }, { "pipe", start_pipe },
	{ "futex", start_futex },     { "nanosleep", start_nanosleep }, { "poll", start_poll },
	{ "timerfd", start_timerfd }, { "file", start_file },           { 0 },
};
