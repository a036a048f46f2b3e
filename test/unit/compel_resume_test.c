/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compel: what a thread was doing when it was borrowed goes on: sleeps, waits, signals, job
 * control.
 */
#include <linux/futex.h>
#include <poll.h>
#include <stdbool.h>

#include "compel_target.h"

/* ---- Interrupted system calls ---- */

#define SLEEP_MS 2000

static struct timespec sleep_time = { .tv_sec = SLEEP_MS / 1000,
				      .tv_nsec = SLEEP_MS % 1000 * 1000000L };

/* A sleep that is interrupted must last neither longer nor shorter, and say nothing of it. */
static void begin_sleep(struct target_words *w)
{
	w->start = now_ms();
	w->ready = 1;
}

static int end_sleep(struct target_words *w, bool success)
{
	w->wide = now_ms() - w->start;
	return success ? 0 : 1;
}

/*
 * @disturbed is when the sleeper was borrowed last: one that began anew then would end SLEEP_MS
 * later. On a busy machine both come late, so the middle between the two decides.
 */
static void check_sleep(const struct target *t, int status, int64_t disturbed)
{
	int64_t limit = SLEEP_MS + (disturbed - t->words->start) / 2;

	if (status || t->words->wide < SLEEP_MS || t->words->wide > limit)
		fail_msg("status 0x%x after %lld ms instead of %d to %lld", status,
			 (long long)t->words->wide, SLEEP_MS, (long long)limit);
}

static int sleep_relative(struct target_words *w)
{
	begin_sleep(w);
	return end_sleep(w, syscall(SYS_nanosleep, &sleep_time, NULL) == 0);
}

static int sleep_on_a_clock(struct target_words *w)
{
	struct timespec ts = sleep_time;

	begin_sleep(w);
	return end_sleep(w, clock_nanosleep(CLOCK_BOOTTIME, 0, &ts, NULL) == 0);
}

static int sleep_absolute(struct target_words *w)
{
	struct timespec ts;

	begin_sleep(w);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += sleep_time.tv_sec;
	ts.tv_nsec += sleep_time.tv_nsec;
	if (ts.tv_nsec >= 1000000000L) {
		ts.tv_sec++;
		ts.tv_nsec -= 1000000000L;
	}
	return end_sleep(w, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == 0);
}

static int sleep_in_poll(struct target_words *w)
{
	struct pollfd pfd = { .fd = w->fd[0], .events = POLLIN };

	begin_sleep(w);
	return end_sleep(w, poll(&pfd, 1, SLEEP_MS) == 0);
}

static int sleep_in_ppoll(struct target_words *w)
{
	struct timespec ts = sleep_time;

	begin_sleep(w);
	return end_sleep(w, ppoll(NULL, 0, &ts, NULL) == 0);
}

static int sleep_in_futex(struct target_words *w)
{
	int32_t word = 0;

	begin_sleep(w);
	long ret = syscall(SYS_futex, &word, FUTEX_WAIT, 0, &sleep_time, NULL, 0);
	return end_sleep(w, ret < 0 && errno == ETIMEDOUT);
}

#define NR_SLEEPERS 6

static void sleeps_last_as_long_as_they_should(void **state)
{
	const target_fn sleepers[NR_SLEEPERS] = {
		sleep_relative, sleep_on_a_clock, sleep_absolute,
		sleep_in_poll,  sleep_in_ppoll,   sleep_in_futex,
	};
	int64_t disturbed[NR_SLEEPERS] = { 0 };
	struct target t[NR_SLEEPERS];

	for (int i = 0; i < NR_SLEEPERS; i++)
		target_start_asleep(&t[i], sleepers[i]);
	for (int round = 0; round < 3; round++) {
		sleep_ms(SLEEP_MS / 5);
		for (int i = 0; i < NR_SLEEPERS; i++) {
			if (thread_state(t[i].pid) != 'S')
				continue; /* this machine is too slow for another round */
			stop_disturb_release(t[i].pid, COMPEL_STOP_EVENT);
			disturbed[i] = now_ms();
		}
	}
	for (int i = 0; i < NR_SLEEPERS; i++) {
		int status = 0;

		assert_int_equal(waitpid(t[i].pid, &status, 0), t[i].pid);
		check_sleep(&t[i], status, disturbed[i]);
		target_forget(&t[i]);
	}
}

/* Continued, not detached: then nothing but the right stop makes the kernel restart the call. */
static void a_sleep_goes_on_under_trace(void **state)
{
	struct compel_stop stop;
	struct target t;

	target_start_asleep(&t, sleep_relative);
	sleep_ms(SLEEP_MS / 5);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	disturb(t.pid);
	int64_t disturbed = now_ms();
	ok(compel_continue(t.pid, 0, err));
	ok(compel_wait_stop(t.pid, compel_deadline(5000), &stop, err));
	assert_int_equal(stop.kind, COMPEL_STOP_EXITED);
	check_sleep(&t, stop.status, disturbed);
	target_forget(&t);
}

static int read_a_pipe(struct target_words *w)
{
	char c = 0;

	w->ready = 1;
	ssize_t got = read(w->fd[0], &c, 1);
	return got == 1 && c == 'x' ? 0 : 1;
}

static void a_read_waits_on_and_gets_its_data(void **state)
{
	struct target t;

	target_start_asleep(&t, read_a_pipe);
	stop_disturb_release(t.pid, COMPEL_STOP_EVENT);
	wait_until(thread_state(t.pid) == 'S');
	assert_int_equal(write(t.words->fd[1], "x", 1), 1);
	assert_int_equal(target_join(&t), 0);
}

static void data_that_comes_meanwhile_is_read(void **state)
{
	struct compel_task task;
	struct target t;

	target_start_asleep(&t, read_a_pipe);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	target_borrow(&task, t.pid);
	remote(&task, SYS_getpid, 0, 0, 0);
	assert_int_equal(write(t.words->fd[1], "x", 1), 1);
	remote(&task, SYS_getpid, 0, 0, 0);
	ok(compel_finish(&task, err));
	target_release(t.pid);
	assert_int_equal(target_join(&t), 0);
}

static int wait_for_a_futex(struct target_words *w)
{
	w->ready = 1;
	long ret = syscall(SYS_futex, &w->value, FUTEX_WAIT, 0, NULL, NULL, 0);
	return ret == 0 || errno == EAGAIN ? 0 : 1;
}

static void a_futex_is_waited_for_on(void **state)
{
	struct target t;

	target_start_asleep(&t, wait_for_a_futex);
	stop_disturb_release(t.pid, COMPEL_STOP_EVENT);
	wait_until(thread_state(t.pid) == 'S');
	t.words->value = 1;
	syscall(SYS_futex, &t.words->value, FUTEX_WAKE, 1, NULL, NULL, 0);
	assert_int_equal(target_join(&t), 0);
}

/* ---- Signals ---- */

static int pause_for_a_signal(struct target_words *w)
{
	handle(SIGUSR1, w);
	w->ready = 1;
	return pause() == -1 && errno == EINTR && w->count == 1 ? 0 : 1;
}

/* The signal mask of the wait lets SIGUSR1 in, the one around it does not. */
static int suspend_for_a_signal(struct target_words *w)
{
	sigset_t block, none, now;

	sigemptyset(&none);
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	sigprocmask(SIG_BLOCK, &block, NULL);
	handle(SIGUSR1, w);
	w->ready = 1;
	if (sigsuspend(&none) != -1 || errno != EINTR || w->count != 1)
		return 1;
	sigprocmask(SIG_BLOCK, NULL, &now);
	return sigismember(&now, SIGUSR1) ? 0 : 2;
}

static int sleep_until_a_signal(struct target_words *w)
{
	struct timespec ts = { .tv_sec = 20 }, left = { 0 };

	handle(SIGUSR1, w);
	w->ready = 1;
	if (nanosleep(&ts, &left) != -1 || errno != EINTR || w->count != 1)
		return 1;
	return left.tv_sec == 19 ? 0 : 2;
}

static void a_signal_during_remote_calls_ends_the_wait_once(void **state)
{
	const target_fn waiters[] = {
		pause_for_a_signal,
		suspend_for_a_signal,
		sleep_until_a_signal,
	};

	for (size_t i = 0; i < sizeof(waiters) / sizeof(waiters[0]); i++) {
		struct compel_task task;
		struct target t;

		target_start_asleep(&t, waiters[i]);
		target_stop(t.pid, COMPEL_STOP_EVENT);
		target_borrow(&task, t.pid);
		remote(&task, SYS_getpid, 0, 0, 0);
		kill(t.pid, SIGUSR1);
		remote(&task, SYS_getpid, 0, 0, 0);
		assert_int_equal(t.words->count, 0);
		ok(compel_finish(&task, err));
		target_release(t.pid);
		assert_int_equal(target_join(&t), 0);
	}
}

static void a_signal_before_and_after_remote_calls_ends_the_wait(void **state)
{
	for (int when = 0; when < 3; when++) {
		struct target t;

		target_start_asleep(&t, pause_for_a_signal);
		target_stop(t.pid, COMPEL_STOP_EVENT);
		if (when == 0)
			kill(t.pid, SIGUSR1);
		disturb(t.pid);
		if (when == 1)
			kill(t.pid, SIGUSR1);
		target_release(t.pid);
		if (when == 2)
			kill(t.pid, SIGUSR1);
		assert_int_equal(target_join(&t), 0);
	}
}

static void no_signal_is_lost_or_doubled_by_remote_calls(void **state)
{
	struct target t, sender;

	target_start(&t, count_rt_signals);
	signal_to = t;
	target_start(&sender, send_signals);
	for (int i = 0; i < 200; i++)
		stop_disturb_release(t.pid, COMPEL_STOP_EVENT);
	sender.words->stop = 1;
	wait_until(thread_state(sender.pid) == 'Z');
	wait_until(t.words->count == sender.words->count);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
	assert_int_equal(target_join(&sender), 0);
}

/* ---- Job control ---- */

static void a_stopped_task_runs_calls_and_stays_stopped(void **state)
{
	const target_fn targets[] = { run_until_told, sleep_relative };

	for (size_t i = 0; i < 2; i++) {
		siginfo_t info = { 0 };
		struct target t;

		target_start(&t, targets[i]);
		kill(t.pid, SIGSTOP);
		wait_until(thread_state(t.pid) == 'T');
		/* This process is parent and tracer: it takes its own notification first. */
		assert_int_equal(waitid(P_PID, (id_t)t.pid, &info, WSTOPPED), 0);
		for (int round = 0; round < 3; round++) {
			stop_disturb_release(t.pid, COMPEL_STOP_GROUP);
			wait_until(thread_state(t.pid) == 'T');
		}
		info.si_pid = 0;
		assert_int_equal(waitid(P_PID, (id_t)t.pid, &info, WSTOPPED | WNOHANG), 0);
		assert_int_equal(info.si_pid, 0);
		int32_t count = t.words->count;
		sleep_ms(20);
		assert_int_equal(t.words->count, count);
		kill(t.pid, SIGCONT);
		t.words->stop = 1;
		assert_int_equal(target_join(&t), i == 0 ? 7 : 0);
	}
}

static volatile sig_atomic_t chld_seen;

static void on_chld(int signo)
{
	(void)signo;
	chld_seen++;
}

/* A parent that is not the tracer: counts what it is told of its stopped child. */
static int watch_stopped_child(struct target_words *w)
{
	struct sigaction sa = { .sa_handler = on_chld };
	siginfo_t info = { 0 };

	sigaction(SIGCHLD, &sa, NULL);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			w->value++;
	}
	kill(child, SIGSTOP);
	while (waitid(P_PID, (id_t)child, &info, WSTOPPED) < 0)
		;
	chld_seen = 0;
	w->tids[0] = child;
	w->ready = 1;
	while (!w->stop) {
		info.si_pid = 0;
		if (waitid(P_PID, (id_t)child, &info, WSTOPPED | WCONTINUED | WEXITED | WNOHANG) ==
			    0 &&
		    info.si_pid)
			w->count++;
		w->tids[1] = chld_seen;
		sleep_ms(1);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}

static void a_stopped_task_stays_stopped_and_its_parent_hears_nothing(void **state)
{
	struct target t;

	target_start(&t, watch_stopped_child);
	pid_t child = t.words->tids[0];

	for (int i = 0; i < 5; i++) {
		target_stop(child, COMPEL_STOP_GROUP);
		if (i > 1)
			disturb(child);
		target_release(child);
		wait_until(thread_state(child) == 'T');
	}
	int32_t value = t.words->value;
	sleep_ms(30);
	assert_int_equal(t.words->value, value);
	assert_int_equal(t.words->count, 0);
	assert_int_equal(t.words->tids[1], 0);

	kill(child, SIGCONT);
	wait_until(t.words->value != value);
	wait_until(t.words->count == 1);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

static void stops_and_continues_between_calls_take_effect_after(void **state)
{
	for (int and_continue = 0; and_continue < 2; and_continue++) {
		struct compel_task task;
		struct target t;

		target_start(&t, run_until_told);
		target_stop(t.pid, COMPEL_STOP_EVENT);
		target_borrow(&task, t.pid);
		remote(&task, SYS_getpid, 0, 0, 0);
		kill(t.pid, SIGSTOP);
		remote(&task, SYS_getpid, 0, 0, 0);
		if (and_continue)
			kill(t.pid, SIGCONT);
		for (int i = 0; i < 3; i++)
			assert_int_equal(remote(&task, SYS_getpid, 0, 0, 0), t.pid);
		ok(compel_finish(&task, err));
		int32_t count = t.words->count;
		target_release(t.pid);
		if (and_continue) {
			wait_until(t.words->count != count);
		} else {
			wait_until(thread_state(t.pid) == 'T');
			assert_int_equal(t.words->count, count);
			kill(t.pid, SIGCONT);
		}
		t.words->stop = 1;
		assert_int_equal(target_join(&t), 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sleeps_last_as_long_as_they_should),
		cmocka_unit_test(a_sleep_goes_on_under_trace),
		cmocka_unit_test(a_read_waits_on_and_gets_its_data),
		cmocka_unit_test(data_that_comes_meanwhile_is_read),
		cmocka_unit_test(a_futex_is_waited_for_on),
		cmocka_unit_test(a_signal_during_remote_calls_ends_the_wait_once),
		cmocka_unit_test(a_signal_before_and_after_remote_calls_ends_the_wait),
		cmocka_unit_test(no_signal_is_lost_or_doubled_by_remote_calls),
		cmocka_unit_test(a_stopped_task_runs_calls_and_stays_stopped),
		cmocka_unit_test(a_stopped_task_stays_stopped_and_its_parent_hears_nothing),
		cmocka_unit_test(stops_and_continues_between_calls_take_effect_after),
	};

	return cmocka_run_group_tests_name("compel: resume", tests, NULL, NULL);
}
