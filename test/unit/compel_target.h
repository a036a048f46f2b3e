/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Targets for the tests of compel: forked children that run one function, and shared words through
 * which they say what they saw.
 */
#ifndef CRIB_UNIT_COMPEL_TARGET_H
#define CRIB_UNIT_COMPEL_TARGET_H

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <compel/compel.h>

/* Words that tests and targets share; each test says what they mean to it. */
struct target_words {
	volatile int32_t ready;
	volatile int32_t stop;
	volatile int32_t count;
	volatile int32_t value;
	volatile int64_t wide;
	volatile int64_t start; /* compel_deadline(0) of a target that measures time */
	volatile int32_t tids[256];
	int fd[2];
};

struct target {
	pid_t pid;
	struct target_words *words;
};

typedef int (*target_fn)(struct target_words *words);

static inline void target_words_map(struct target *t)
{
	t->words = mmap(NULL, sizeof(*t->words), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	assert_ptr_not_equal(t->words, MAP_FAILED);
	assert_int_equal(pipe(t->words->fd), 0);
}

/* Runs @fn in a child; its result is the exit status. */
static inline pid_t target_fork(target_fn fn, struct target_words *words)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(99);
		_exit(fn(words));
	}
	return pid;
}

static inline void sleep_ms(int ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

static inline int64_t now_ms(void)
{
	return compel_deadline(0);
}

/* The letter of /proc/TID/stat, '?' when the thread is gone. */
static inline char thread_state(pid_t tid)
{
	char path[64], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	FILE *f = fopen(path, "re");
	if (!f)
		return '?';
	size_t len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	char *paren = strrchr(text, ')');

	return paren && paren[1] ? paren[2] : '?';
}

/* Waits until a condition holds, at most half a minute. */
#define wait_until(cond)                                                                           \
	do {                                                                                       \
		int64_t until_ = now_ms() + 30000;                                                 \
		while (!(cond) && now_ms() < until_)                                               \
			sleep_ms(1);                                                               \
		assert_true(cond);                                                                 \
	} while (0)

static inline void target_start(struct target *t, target_fn fn)
{
	target_words_map(t);
	t->pid = target_fork(fn, t->words);
	wait_until(t->words->ready);
}

/* The same, and waits until the target sleeps in a system call. */
static inline void target_start_asleep(struct target *t, target_fn fn)
{
	target_start(t, fn);
	wait_until(thread_state(t->pid) == 'S');
}

static inline void target_forget(struct target *t)
{
	close(t->words->fd[0]);
	close(t->words->fd[1]);
	munmap(t->words, sizeof(*t->words));
}

/* The exit status of the target, which must end by itself. */
static inline int target_join(struct target *t)
{
	int status = 0;
	int64_t until = now_ms() + 30000;
	pid_t got;

	while ((got = waitpid(t->pid, &status, WNOHANG)) == 0 && now_ms() < until)
		sleep_ms(1);
	if (got == 0) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, &status, 0);
		fail_msg("the target does not end");
	}
	assert_int_equal(got, t->pid);
	target_forget(t);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline void target_kill(struct target *t)
{
	kill(t->pid, SIGKILL);
	while (waitpid(t->pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	target_forget(t);
}

/* A call of compel that must succeed, else its own words are the failure. */
#define ok(call)                                                                                   \
	do {                                                                                       \
		struct compel_error err_ = { 0 };                                                  \
		struct compel_error *err = &err_;                                                  \
		long ret_ = (call);                                                                \
		(void)err;                                                                         \
		if (ret_ < 0)                                                                      \
			fail_msg("%s: %s (%ld)", #call, err_.text, ret_);                          \
	} while (0)

/* Seizes and stops a thread; @kind is what the stop must be. */
static inline void target_stop(pid_t tid, enum compel_stop_kind kind)
{
	struct compel_stop stop;

	ok(compel_seize(tid, COMPEL_SEIZE_OPTIONS, err));
	ok(compel_interrupt(tid, err));
	ok(compel_wait_stop(tid, compel_deadline(5000), &stop, err));
	assert_int_equal(stop.kind, kind);
}

static inline void target_release(pid_t tid)
{
	ok(compel_detach(tid, 0, err));
}

static inline void target_borrow(struct compel_task *task, pid_t tid)
{
	struct compel_prepare_opts opts = { .options = COMPEL_SEIZE_OPTIONS, .timeout_ms = 3000 };

	ok(compel_prepare(task, tid, &opts, err));
}

/* One remote system call with up to three arguments. */
static inline int64_t remote(struct compel_task *task, long nr, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[6] = { a, b, c };
	int64_t val = 0;

	ok(compel_syscall(task, nr, args, &val, err));
	return val;
}

/* Borrows a standing thread for some system calls of all sorts and gives it back. */
static inline void disturb(pid_t tid)
{
	struct compel_scratch scratch;
	struct compel_task task;
	uint64_t mask[2] = { 0 };

	target_borrow(&task, tid);
	assert_int_equal(remote(&task, SYS_gettid, 0, 0, 0), tid);
	ok(compel_scratch_open(&task, COMPEL_SCRATCH_MAP, 64, &scratch, err));
	assert_int_equal(remote(&task, SYS_sigaltstack, 0, scratch.addr, 0), 0);
	ok(compel_mem_read(tid, scratch.addr, mask, sizeof(mask), err));
	assert_int_equal(remote(&task, SYS_close, (uint64_t)-1, 0, 0), -EBADF);
	ok(compel_scratch_close(&task, &scratch, err));
	assert_int_equal(remote(&task, SYS_sched_yield, 0, 0, 0), 0);
	ok(compel_finish(&task, err));
}

/* Twice, because crib may borrow a thread for more than one purpose. */
static inline void stop_disturb_release(pid_t tid, enum compel_stop_kind kind)
{
	target_stop(tid, kind);
	disturb(tid);
	disturb(tid);
	target_release(tid);
}

/* ---- Targets that several tests use ---- */

static inline int run_until_told(struct target_words *w)
{
	w->ready = 1;
	while (!w->stop)
		w->count++;
	return 7;
}

static inline int sleep_for_ever(struct target_words *w)
{
	w->ready = 1;
	for (;;)
		pause();
	return 0;
}

/* The word that counts signals; set in a target only. */
__attribute__((unused)) static volatile int32_t *handled;

static inline void count_signal(int signo)
{
	(void)signo;
	++*handled;
}

static inline void handle(int signo, struct target_words *w)
{
	struct sigaction sa = { .sa_handler = count_signal };

	handled = &w->count;
	sigaction(signo, &sa, NULL);
}

static inline int count_rt_signals(struct target_words *w)
{
	handle(SIGRTMIN, w);
	w->ready = 1;
	while (!w->stop)
		;
	return 0;
}

/* Whom send_signals() sends SIGRTMIN; set before it is started. */
__attribute__((unused)) static struct target signal_to;

static inline int send_signals(struct target_words *w)
{
	w->ready = 1;
	while (!w->stop) {
		/* Past RLIMIT_SIGPENDING the kernel keeps one signal for many. */
		if (w->count - signal_to.words->count < 100 && kill(signal_to.pid, SIGRTMIN) == 0)
			w->count++;
		sched_yield();
	}
	return 0;
}

#endif /* CRIB_UNIT_COMPEL_TARGET_H */
