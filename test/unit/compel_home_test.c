/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compel: threads whose tracer is killed at any instant go on as if nothing had been.
 */
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>

#include <compel/arch.h>

#include "compel_target.h"

enum {
	SHOTS = 300,
	SHOTS_THREADS = 20, /* each of them may make the process wait for a second */
	NR_THREADS = 8,
	ROW_CALLS = 8,
	LIFE_US = 4000, /* a tracer lives that long at most */
};

/* As wait_until(), where many processes may want the same two processors. */
#define wait_long(cond)                                                                            \
	do {                                                                                       \
		for (int i_ = 0; i_ < 60000 && !(cond); i_++)                                      \
			sleep_ms(1);                                                               \
		assert_true(cond);                                                                 \
	} while (0)

/* ---- The tracer ---- */

/* In a child of the test, which must not go on as the test. */
#define must(call)                                                                                 \
	do {                                                                                       \
		struct compel_error err_ = { 0 }, *err = &err_;                                    \
		if ((call) < 0) {                                                                  \
			fprintf(stderr, "%s: %s\n", #call, err_.text);                             \
			_exit(98);                                                                 \
		}                                                                                  \
	} while (0)

struct tracer {
	pid_t tids[NR_THREADS];
	struct compel_task task[NR_THREADS];
	struct compel_task *tasks[NR_THREADS];
	size_t nr;
};

static void stop_all(struct tracer *tr)
{
	struct compel_stop stop;

	for (size_t i = 0; i < tr->nr; i++) {
		must(compel_seize(tr->tids[i], COMPEL_SEIZE_OPTIONS, err));
		must(compel_interrupt(tr->tids[i], err));
	}
	for (size_t i = 0; i < tr->nr; i++)
		must(compel_wait_stop(tr->tids[i], compel_deadline(5000), &stop, err));
}

static void call_all(struct tracer *tr)
{
	for (size_t i = 0; i < tr->nr; i++)
		tr->task[i].call = (struct compel_call){ .nr = SYS_gettid };
	must(compel_syscall_many(tr->tasks, tr->nr, err));
}

static void row_all(struct tracer *tr, const struct compel_scratch *scratch)
{
	struct compel_call calls[NR_THREADS][ROW_CALLS];
	struct compel_row rows[NR_THREADS];
	int signo = compel_row_signal(tr->task, tr->nr);

	if (!scratch->code || !signo)
		return;
	for (size_t i = 0; i < tr->nr; i++) {
		rows[i] = (struct compel_row){
			.calls = calls[i],
			.nr = ROW_CALLS,
			.code = scratch->code,
			.table = scratch->addr + i * COMPEL_ROW_SIZE(ROW_CALLS),
			.signo = signo,
		};
		for (int c = 0; c < ROW_CALLS; c++)
			calls[i][c] = (struct compel_call){ .nr = SYS_getppid };
	}
	must(compel_row_many(tr->tasks, rows, tr->nr, err));
}

/* All that is ever done to threads, in the order that compel.h asks for. */
static void borrow_all(struct tracer *tr, enum compel_scratch_kind kind)
{
	const struct compel_prepare_opts opts = { .options = COMPEL_SEIZE_OPTIONS };
	struct compel_scratch scratch = {
		.kind = kind,
		.size = NR_THREADS * COMPEL_ROW_SIZE(ROW_CALLS),
		.shared = tr->nr > 1,
	};

	for (size_t i = 0; i < tr->nr; i++) {
		tr->tasks[i] = &tr->task[i];
		compel_task_init(tr->tasks[i], tr->tids[i], &opts);
	}
	must(compel_prepare_many(tr->tasks, tr->nr, err));
	must(compel_scratch_open_many(tr->tasks, 1, &scratch, err));
	for (size_t i = 1; i < tr->nr; i++)
		tr->task[i].leave = scratch.leave;
	call_all(tr);
	row_all(tr, &scratch);
	call_all(tr);
	must(compel_finish_many(tr->tasks + 1, tr->nr - 1, err));
	must(compel_scratch_close_many(tr->tasks, 1, &scratch, err));
	must(compel_finish_many(tr->tasks, 1, err));
}

/* Who is traced, and how; for the function of a child. */
static struct tracer the_tracer;
static enum compel_scratch_kind the_kind;

static int trace_for_ever(struct target_words *w)
{
	(void)w;
	stop_all(&the_tracer);
	for (;;)
		borrow_all(&the_tracer, the_kind);
	return 0;
}

/* A tracer begins and is killed, some instant later. */
static void shoot(struct target *t)
{
	int status;
	pid_t pid = target_fork(trace_for_ever, t->words);

	usleep((useconds_t)(rand() % LIFE_US));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- What must be as before ---- */

static void read_file(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
}

#define TEXT_MAX (1 << 16)

/* Mappings, without the size of the stack, which grows. */
static void read_maps(pid_t pid, char *text)
{
	read_file(pid, "maps", text, TEXT_MAX);
	char *stack = strstr(text, "[stack]");

	if (stack) {
		while (stack > text && stack[-1] != '\n')
			stack--;
		memmove(stack, strchr(stack, '\n'), strlen(strchr(stack, '\n')) + 1);
	}
}

static bool has_maps(pid_t pid, const char *maps)
{
	char now[TEXT_MAX];

	read_maps(pid, now);
	return strcmp(now, maps) == 0;
}

static bool has_mask(pid_t pid, const char *mask)
{
	char now[TEXT_MAX];

	read_file(pid, "status", now, sizeof(now));
	return strstr(now, mask) != NULL;
}

/* Without code for it there is no way home, and nothing to test. */
static void skip_without_home(void)
{
	if (!compel_arch.call_return)
		skip();
}

/* ---- One thread ---- */

static char alternate_stack[65536];

static bool is_mine(void)
{
	stack_t stack;
	sigset_t mask;

	return sigaltstack(NULL, &stack) == 0 && stack.ss_sp == alternate_stack &&
	       stack.ss_flags == 0 && sigprocmask(SIG_BLOCK, NULL, &mask) == 0 &&
	       sigismember(&mask, SIGUSR1) && !sigismember(&mask, SIGUSR2);
}

/* Fails when a register changes under it, or what belongs to signals. */
static int compute(struct target_words *w)
{
	const stack_t stack = { .ss_sp = alternate_stack, .ss_size = sizeof(alternate_stack) };
	volatile double x = 1.0;
	double y = 0.0;
	uint64_t sum = 0;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaltstack(&stack, NULL);
	w->ready = 1;
	for (uint64_t i = 0; !w->stop; i++) {
		sum += i;
		y = y + x;
		if (y != (double)(i + 1) || sum != i * (i + 1) / 2)
			return 1;
		if (i % 4096 == 0 && !is_mine())
			return 2;
		w->count++;
	}
	return 0;
}

/* Calls without and with a time limit. None ends too early or with an error. */
static int sleep_and_read(struct target_words *w)
{
	const struct timespec ts = { .tv_nsec = 2000000 };
	struct pollfd fd = { .fd = w->fd[0], .events = POLLIN };

	w->ready = 1;
	while (!w->stop) {
		int64_t start = now_ms();
		char c = 0;

		if (syscall(SYS_nanosleep, &ts, NULL))
			return 1;
		if (now_ms() - start < 1)
			return 2;
		if (poll(&fd, 1, 2) < 0)
			return 3;
		if (write(w->fd[1], "x", 1) != 1 || read(w->fd[0], &c, 1) != 1 || c != 'x')
			return 4;
		w->count++;
	}
	return 0;
}

static void shoot_one(target_fn fn, enum compel_scratch_kind kind)
{
	char maps[TEXT_MAX];
	struct target t;

	skip_without_home();
	target_start(&t, fn);
	wait_long(t.words->count > 5000 || (t.words->count && fn == sleep_and_read));
	read_maps(t.pid, maps);
	the_tracer = (struct tracer){ .tids = { t.pid }, .nr = 1 };
	the_kind = kind;
	for (int i = 0; i < SHOTS; i++) {
		shoot(&t);
		int32_t count = t.words->count;
		wait_long(t.words->count > count + 1 || thread_state(t.pid) == 'Z');
		wait_long(has_maps(t.pid, maps));
	}
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

static void one_that_computes_goes_on_when_its_tracer_is_killed(void **state)
{
	shoot_one(compute, COMPEL_SCRATCH_CODE);
}

static void one_without_code_goes_on_when_its_tracer_is_killed(void **state)
{
	shoot_one(compute, COMPEL_SCRATCH_MAP);
}

static void one_with_nothing_but_its_stack_goes_on(void **state)
{
	shoot_one(compute, COMPEL_SCRATCH_STACK);
}

static void one_that_sleeps_goes_on_when_its_tracer_is_killed(void **state)
{
	shoot_one(sleep_and_read, COMPEL_SCRATCH_CODE);
}

/* ---- Signals ---- */

static void signals_that_come_meanwhile_are_handled(void **state)
{
	struct target t, sender;

	skip_without_home();
	target_start(&t, count_rt_signals);
	signal_to = t;
	target_start(&sender, send_signals);
	the_tracer = (struct tracer){ .tids = { t.pid }, .nr = 1 };
	the_kind = COMPEL_SCRATCH_CODE;
	for (int i = 0; i < SHOTS; i++)
		shoot(&t);
	sender.words->stop = 1;
	int32_t sent = sender.words->count;
	target_join(&sender);
	wait_long(t.words->count >= sent);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

static void a_stopped_one_goes_on_when_it_is_continued(void **state)
{
	char maps[TEXT_MAX];
	struct target t;

	skip_without_home();
	target_start(&t, compute);
	wait_long(t.words->count);
	kill(t.pid, SIGSTOP);
	wait_long(thread_state(t.pid) == 'T');
	read_maps(t.pid, maps);
	the_tracer = (struct tracer){ .tids = { t.pid }, .nr = 1 };
	the_kind = COMPEL_SCRATCH_STACK;
	for (int i = 0; i < SHOTS; i++) {
		shoot(&t);
		wait_long(thread_state(t.pid) == 'T');
		assert_true(has_maps(t.pid, maps));
		if (i % 10)
			continue;
		int32_t count = t.words->count;
		kill(t.pid, SIGCONT);
		wait_long(t.words->count > count);
		kill(t.pid, SIGSTOP);
		wait_long(thread_state(t.pid) == 'T');
	}
	kill(t.pid, SIGCONT);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

/* ---- Threads ---- */

static struct target_words *shared;

static void *compute_or_sleep(void *arg)
{
	const struct timespec ts = { .tv_nsec = 2000000 };
	intptr_t i = (intptr_t)arg, bad = 0;
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	shared->tids[i] = (int32_t)syscall(SYS_gettid);
	volatile double x = 1.0;
	for (double y = 0.0; !shared->stop && !bad; y += x) {
		volatile double z = y;
		double before = z;

		if (i % 2 && syscall(SYS_nanosleep, &ts, NULL))
			bad = 1;
		for (int k = 0; k < 1000; k++)
			before += x;
		if (before != z + 1000)
			bad = 1;
		if (i % 2 == 0)
			sched_yield();
		shared->tids[NR_THREADS + i]++; /* what it has done */
	}
	return (void *)bad;
}

static int with_threads(struct target_words *w)
{
	pthread_t thread[NR_THREADS];
	intptr_t nr_bad = 0;

	shared = w;
	for (intptr_t i = 1; i < NR_THREADS; i++)
		if (pthread_create(&thread[i], NULL, compute_or_sleep, (void *)i))
			return 100;
	w->tids[0] = getpid();
	for (int i = 1; i < NR_THREADS; i++)
		while (!w->tids[i])
			sleep_ms(1);
	w->ready = 1;
	nr_bad += (intptr_t)compute_or_sleep((void *)0);
	for (int i = 1; i < NR_THREADS; i++) {
		void *bad;

		pthread_join(thread[i], &bad);
		nr_bad += (intptr_t)bad;
	}
	return (int)nr_bad;
}

static bool all_went_on(const struct target *t, const int32_t *before)
{
	for (int i = 0; i < NR_THREADS; i++)
		if (t->words->tids[NR_THREADS + i] < before[i] + 2)
			return false;
	return true;
}

static void threads_go_on_when_their_tracer_is_killed(void **state)
{
	int32_t before[NR_THREADS];
	char maps[TEXT_MAX];
	struct target t;

	skip_without_home();
	target_start(&t, with_threads);
	memset(before, 0, sizeof(before));
	wait_long(all_went_on(&t, before));
	read_maps(t.pid, maps);
	the_tracer = (struct tracer){ .nr = NR_THREADS };
	for (int i = 0; i < NR_THREADS; i++)
		the_tracer.tids[i] = t.words->tids[i];
	for (int shot = 0; shot < SHOTS_THREADS; shot++) {
		the_kind = shot % 4 ? COMPEL_SCRATCH_CODE : COMPEL_SCRATCH_MAP;
		shoot(&t);
		for (int i = 0; i < NR_THREADS; i++)
			before[i] = t.words->tids[NR_THREADS + i];
		wait_long(all_went_on(&t, before) || thread_state(t.pid) == 'Z');
		wait_long(has_maps(t.pid, maps));
		wait_long(has_mask(t.pid, "SigBlk:\t0000000000000200"));
	}
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

/* ---- Text ---- */

static void what_was_found_in_one_process_is_found_in_another(void **state)
{
	uint64_t code = (uint64_t)(uintptr_t)syscall & ~4095ULL;
	const struct compel_range other[] = { { 4096, 8192 }, { code, code + 4096 } };
	struct compel_text first = { 0 }, second;
	struct compel_prepare_opts opts = { .options = COMPEL_SEIZE_OPTIONS };
	struct compel_task task;
	struct compel_error err;
	struct target t;

	skip_without_home();
	target_start(&t, run_until_told);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	ok(compel_prepare(&task, t.pid, &opts, err));
	assert_int_not_equal(task.sigreturn, 0);
	/* Half a mapping begins elsewhere, and so is another one. */
	const struct compel_range range = { task.insn & ~4095ULL, task.sigreturn + 4096 };
	assert_true(range.end > range.start);
	ok(compel_text_find(t.pid, &range, 1, &first, err));
	second = first;
	second.insn = second.sigreturn = 0;
	ok(compel_text_find(t.pid, &range, 1, &second, err));
	assert_memory_equal(&first, &second, sizeof(first));
	assert_int_equal(compel_text_find(t.pid, other, 2, &second, &err), -ENOENT);
	assert_int_equal(second.sigreturn, 0);
	ok(compel_finish(&task, err));
	target_release(t.pid);
	target_kill(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_computes_goes_on_when_its_tracer_is_killed),
		cmocka_unit_test(one_without_code_goes_on_when_its_tracer_is_killed),
		cmocka_unit_test(one_with_nothing_but_its_stack_goes_on),
		cmocka_unit_test(one_that_sleeps_goes_on_when_its_tracer_is_killed),
		cmocka_unit_test(signals_that_come_meanwhile_are_handled),
		cmocka_unit_test(a_stopped_one_goes_on_when_it_is_continued),
		cmocka_unit_test(threads_go_on_when_their_tracer_is_killed),
		cmocka_unit_test(what_was_found_in_one_process_is_found_in_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
