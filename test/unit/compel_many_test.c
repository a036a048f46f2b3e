/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compel: system calls in many threads at once.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "compel_target.h"

#define NR_THREADS 200
#define SLEEP_MS   1500

/* The threads of one target, stopped. */
struct many {
	struct target t;
	pid_t tids[NR_THREADS];
	struct compel_task task[NR_THREADS];
	struct compel_task *tasks[NR_THREADS];
	size_t nr;
};

static const struct compel_prepare_opts prepare_opts = {
	.options = COMPEL_SEIZE_OPTIONS,
	.timeout_ms = 3000,
};

static struct target_words *shared;

/* What each of them does when it is stopped: five ways to wait, and one that does not. */
static void *do_something(void *arg)
{
	long i = (long)(intptr_t)arg;
	struct timespec ts = { .tv_sec = SLEEP_MS / 1000, .tv_nsec = SLEEP_MS % 1000 * 1000000L };
	int64_t start = now_ms(), took;
	char c = 0;

	shared->tids[i] = (int32_t)syscall(SYS_gettid);
	switch (i % 5) {
	case 0: break;
	case 1: syscall(SYS_nanosleep, &ts, NULL); break;
	case 2: syscall(SYS_futex, &shared->value, FUTEX_WAIT, 0, &ts, NULL, 0); break;
	case 3: return read(shared->fd[0], &c, 1) == 1 && c == 'x' ? NULL : arg;
	case 4:
		while (!shared->stop)
			sleep_ms(5);
		return NULL;
	}
	if (i % 5 == 0) { /* few of them, the machine has other things to do */
		while (!shared->stop)
			if (i % 50)
				sleep_ms(1);
		return NULL;
	}
	took = now_ms() - start;
	/* One that began anew when it was disturbed would end later by all that it had slept. */
	return took >= SLEEP_MS && took < SLEEP_MS + (shared->start - start) / 2 ? NULL : arg;
}

static int with_threads(struct target_words *w)
{
	static pthread_t thread[NR_THREADS];
	pthread_attr_t attr;
	void *bad;
	int nr_bad = 0;

	shared = w;
	handle(SIGRTMIN, w);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (intptr_t i = 1; i < NR_THREADS; i++)
		if (pthread_create(&thread[i], &attr, do_something, (void *)i))
			return 100;
	w->tids[0] = getpid();
	for (int i = 1; i < NR_THREADS; i++)
		while (!w->tids[i])
			sleep_ms(1);
	w->ready = 1;
	while (!w->stop)
		sleep_ms(1);
	for (int i = 1; i < NR_THREADS; i++) {
		pthread_join(thread[i], &bad);
		nr_bad += bad != NULL;
	}
	return nr_bad;
}

static void many_stop(struct many *m, const pid_t *tids, size_t nr)
{
	struct compel_stop stop;

	m->nr = nr;
	for (size_t i = 0; i < nr; i++) {
		m->tids[i] = tids[i];
		m->tasks[i] = &m->task[i];
		ok(compel_seize(tids[i], COMPEL_SEIZE_OPTIONS, err));
		ok(compel_interrupt(tids[i], err));
	}
	for (size_t i = 0; i < nr; i++) {
		ok(compel_wait_stop(tids[i], compel_deadline(5000), &stop, err));
		assert_int_equal(stop.kind, COMPEL_STOP_EVENT);
		compel_task_init(m->tasks[i], tids[i], &prepare_opts);
	}
}

static void many_start(struct many *m)
{
	pid_t tids[NR_THREADS];

	target_start(&m->t, with_threads);
	sleep_ms(SLEEP_MS / 2);
	for (int i = 0; i < NR_THREADS; i++)
		tids[i] = m->t.words->tids[i];
	many_stop(m, tids, NR_THREADS);
}

/* Where the threads of many_start() go on. */
static void many_release(struct many *m)
{
	m->t.words->start = now_ms();
	for (size_t i = 0; i < m->nr; i++)
		target_release(m->tids[i]);
}

/* Every thread is asked who it is. */
static void many_ask(struct many *m)
{
	for (size_t i = 0; i < m->nr; i++)
		m->tasks[i]->call = (struct compel_call){ .nr = SYS_gettid };
	ok(compel_syscall_many(m->tasks, m->nr, err));
	for (size_t i = 0; i < m->nr; i++) {
		assert_int_equal(m->tasks[i]->ret, 0);
		assert_int_equal(m->tasks[i]->call.val, m->tids[i]);
	}
}

static int many_end(struct many *m)
{
	char text[NR_THREADS];

	memset(text, 'x', sizeof(text));
	assert_int_equal(write(m->t.words->fd[1], text, sizeof(text)), sizeof(text));
	m->t.words->stop = 1;
	return target_join(&m->t);
}

static void two_hundred_threads_go_on_with_what_they_did(void **state)
{
	static struct compel_regs before[NR_THREADS];
	static struct many m;
	struct compel_regs after;

	many_start(&m);
	for (int i = 0; i < NR_THREADS; i++)
		ok(compel_regs_get(m.tids[i], &before[i], err));
	for (int twice = 0; twice < 2; twice++) {
		ok(compel_prepare_many(m.tasks, m.nr, err));
		for (int round = 0; round < 5; round++)
			many_ask(&m);
		ok(compel_finish_many(m.tasks, m.nr, err));
		for (int i = 0; i < NR_THREADS; i++)
			compel_task_init(m.tasks[i], m.tids[i], &prepare_opts);
	}
#ifdef __x86_64__ /* elsewhere threads may stand at the entry of their call, see compel_finish()   \
		   */
	for (int i = 0; i < NR_THREADS; i++) {
		ok(compel_regs_get(m.tids[i], &after, err));
		assert_memory_equal(&before[i], &after, sizeof(after));
	}
#else
	(void)after;
#endif
	many_release(&m);
	assert_int_equal(many_end(&m), 0);
}

static void signals_that_come_meanwhile_are_neither_lost_nor_taken(void **state)
{
	static struct many m;
	const siginfo_t info = { .si_code = SI_QUEUE };

	many_start(&m);
	ok(compel_prepare_many(m.tasks, m.nr, err));
	for (int i = 0; i < NR_THREADS; i++) {
		if (i % 5 != 4)
			continue;
		siginfo_t copy = info;

		assert_int_equal(
			syscall(SYS_rt_tgsigqueueinfo, m.t.pid, m.tids[i], SIGRTMIN, &copy), 0);
		if (i % 50 == 4)
			many_ask(&m);
	}
	kill(m.t.pid, SIGSTOP);
	many_ask(&m);
	kill(m.t.pid, SIGCONT);
	many_ask(&m);
	assert_int_equal(m.t.words->count, 0);
	ok(compel_finish_many(m.tasks, m.nr, err));
	many_release(&m);
	wait_until(m.t.words->count == NR_THREADS / 5);
	assert_int_equal(many_end(&m), 0);
}

/* ---- Several processes ---- */

#define NR_TASKS 20

static void tasks_start(struct many *m, struct target *t, target_fn fn)
{
	pid_t pids[NR_TASKS];

	for (int i = 0; i < NR_TASKS; i++) {
		target_start(&t[i], fn);
		pids[i] = t[i].pid;
	}
	many_stop(m, pids, NR_TASKS);
	ok(compel_prepare_many(m->tasks, m->nr, err));
}

static int wait_until_told(struct target_words *w)
{
	w->ready = 1;
	while (!w->stop)
		sleep_ms(2);
	return 7;
}

static void tasks_end(struct target *t, int but)
{
	for (int i = 0; i < NR_TASKS; i++) {
		if (i == but) {
			target_kill(&t[i]);
			continue;
		}
		target_release(t[i].pid);
		t[i].words->stop = 1;
		assert_int_equal(target_join(&t[i]), 7);
	}
}

static void one_that_is_killed_does_not_keep_the_others(void **state)
{
	struct target t[NR_TASKS];
	struct compel_error err;
	static struct many m;

	tasks_start(&m, t, wait_until_told);
	many_ask(&m);
	kill(t[7].pid, SIGKILL);
	for (int i = 0; i < NR_TASKS; i++)
		m.task[i].call = (struct compel_call){ .nr = SYS_getpid };
	assert_int_equal(compel_syscall_many(m.tasks, m.nr, &err), -ESRCH);
	for (int i = 0; i < NR_TASKS; i++) {
		assert_int_equal(m.task[i].ret, i == 7 ? -ESRCH : 0);
		if (i != 7)
			assert_int_equal(m.task[i].call.val, t[i].pid);
	}
	assert_int_equal(compel_finish_many(m.tasks, m.nr, &err), -ESRCH);
	for (int i = 0; i < NR_TASKS; i++)
		assert_int_equal(m.task[i].ret, i == 7 ? -ESRCH : 0);
	tasks_end(t, 7);
}

static void one_that_sleeps_does_not_keep_the_others(void **state)
{
	struct compel_scratch scratch[NR_TASKS];
	struct target t[NR_TASKS];
	struct compel_error err;
	static struct many m;

	tasks_start(&m, t, wait_until_told);
	for (int i = 0; i < NR_TASKS; i++) {
		scratch[i] = (struct compel_scratch){ .kind = COMPEL_SCRATCH_MAP, .size = 16 };
		m.task[i].timeout_ms = 100;
	}
	ok(compel_scratch_open_many(m.tasks, m.nr, scratch, err));
	for (int i = 0; i < NR_TASKS; i++)
		m.task[i].call = (struct compel_call){ .nr = SYS_getppid };
	m.task[3].call = (struct compel_call){
		.nr = SYS_read,
		.args = { (uint64_t)t[3].words->fd[0], scratch[3].addr, 1 },
	};
	m.task[4].call.nr = COMPEL_NO_CALL;
	m.task[5].call.nr = SYS_exit;
	int64_t start = now_ms();
	assert_int_equal(compel_syscall_many(m.tasks, m.nr, &err), -EINVAL);
	assert_true(now_ms() - start >= 95);
	for (int i = 0; i < NR_TASKS; i++) {
		assert_int_equal(m.task[i].ret, i == 3 ? -ETIMEDOUT : i == 5 ? -EINVAL : 0);
		if (i > 5)
			assert_int_equal(m.task[i].call.val, getpid());
		m.task[i].timeout_ms = 3000;
	}
	many_ask(&m);
	ok(compel_scratch_close_many(m.tasks, m.nr, scratch, err));
	ok(compel_finish_many(m.tasks, m.nr, err));
	tasks_end(t, -1);
}

static int without_room(struct target_words *w)
{
	const struct rlimit limit = { .rlim_cur = 1 << 20, .rlim_max = 1 << 20 };

	if (w->value && setrlimit(RLIMIT_AS, &limit))
		return 1;
	return wait_until_told(w);
}

static void scratch_is_refused_to_one_and_given_to_the_others(void **state)
{
	struct compel_scratch scratch[NR_TASKS];
	struct target t[NR_TASKS];
	struct compel_error err;
	pid_t pids[NR_TASKS];
	static struct many m;

	for (int i = 0; i < NR_TASKS; i++) {
		target_words_map(&t[i]);
		t[i].words->value = i == 2;
		t[i].pid = target_fork(without_room, t[i].words);
		wait_until(t[i].words->ready);
		pids[i] = t[i].pid;
		scratch[i] = (struct compel_scratch){ .kind = COMPEL_SCRATCH_MAP, .size = 4711 };
	}
	many_stop(&m, pids, NR_TASKS);
	ok(compel_prepare_many(m.tasks, m.nr, err));
	scratch[9].kind = COMPEL_SCRATCH_STACK;
	scratch[11].size = 0;
	assert_int_equal(compel_scratch_open_many(m.tasks, m.nr, scratch, &err), -EINVAL);
	for (int i = 0; i < NR_TASKS; i++) {
		assert_int_equal(m.task[i].ret, i == 2 ? -ENOMEM : i == 11 ? -EINVAL : 0);
		assert_int_equal(scratch[i].size == 0, i == 2 || i == 11);
	}
	ok(compel_scratch_close_many(m.tasks, m.nr, scratch, err));
	ok(compel_finish_many(m.tasks, m.nr, err));
	tasks_end(t, -1);
}

/* ---- Rows ---- */

#define ROW_CALLS 20

/* Rows of the same calls for all threads, with memory in the first one's process. */
struct rows {
	struct compel_scratch scratch;
	struct compel_row row[NR_THREADS];
	struct compel_call call[NR_THREADS][ROW_CALLS];
};

/* False where there is no code for this machine. */
static bool rows_open(struct rows *r, struct many *m)
{
	struct compel_error err;
	r->scratch = (struct compel_scratch){
		.kind = COMPEL_SCRATCH_CODE,
		.size = m->nr * COMPEL_ROW_SIZE(ROW_CALLS),
		.shared = m->nr > 1,
	};
	int ret = compel_scratch_open_many(m->tasks, 1, &r->scratch, &err);

	if (ret == -EOPNOTSUPP)
		return false;
	if (ret < 0)
		fail_msg("scratch: %s", err.text);
	int signo = compel_row_signal(m->task, m->nr);
	assert_int_not_equal(signo, 0);
	for (size_t i = 0; i < m->nr; i++) {
		if (i > 0)
			m->tasks[i]->leave = r->scratch.leave;
		r->row[i] = (struct compel_row){
			.calls = r->call[i],
			.nr = ROW_CALLS,
			.code = r->scratch.code,
			.table = r->scratch.addr + i * COMPEL_ROW_SIZE(ROW_CALLS),
			.signo = signo,
		};
		for (int c = 0; c < ROW_CALLS; c++)
			r->call[i][c] = (struct compel_call){
				.nr = c % 3 == 0 ? SYS_gettid :
				      c % 3 == 1 ? SYS_close :
						   SYS_getppid,
				.args = { (uint64_t)-1 },
			};
	}
	return true;
}

static void rows_check(const struct rows *r, const struct many *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		assert_int_equal(m->task[i].ret, 0);
		for (int c = 0; c < ROW_CALLS; c++)
			assert_int_equal(r->call[i][c].val, c % 3 == 0 ? m->tids[i] :
							    c % 3 == 1 ? -EBADF :
									 getpid());
	}
}

static void read_maps(pid_t pid, char *text, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
}

static void rows_run_in_two_hundred_threads_and_leave_no_trace(void **state)
{
	static char maps_before[1 << 17], maps_after[1 << 17];
	static struct compel_regs before[NR_THREADS];
	static struct rows r;
	static struct many m;
	struct compel_regs after;

	many_start(&m);
	read_maps(m.t.pid, maps_before, sizeof(maps_before));
	for (int i = 0; i < NR_THREADS; i++)
		ok(compel_regs_get(m.tids[i], &before[i], err));
	ok(compel_prepare_many(m.tasks, m.nr, err));
	if (!rows_open(&r, &m)) {
		compel_finish_many(m.tasks, m.nr, NULL);
		many_release(&m);
		many_end(&m);
		skip();
	}
	for (int round = 0; round < 3; round++) {
		ok(compel_row_many(m.tasks, r.row, m.nr, err));
		rows_check(&r, &m);
		many_ask(&m);
	}
	ok(compel_row_many(m.tasks, r.row, m.nr, err));
	rows_check(&r, &m);
	ok(compel_finish_many(m.tasks + 1, m.nr - 1, err));
	ok(compel_scratch_close(m.tasks[0], &r.scratch, err));
	ok(compel_finish(m.tasks[0], err));
	for (int i = 0; i < NR_THREADS; i++) {
		ok(compel_regs_get(m.tids[i], &after, err));
		assert_memory_equal(&before[i], &after, sizeof(after));
	}
	read_maps(m.t.pid, maps_after, sizeof(maps_after));
	assert_string_equal(maps_before, maps_after);
	many_release(&m);
	assert_int_equal(many_end(&m), 0);
}

/* What happens to one target while it makes the calls of a row, in a child of the test. */
static struct target *meddled;

static int stop_and_continue(struct target_words *w)
{
	for (int i = 0; i < 20; i++) {
		kill(meddled->pid, SIGSTOP);
		sleep_ms(3);
		kill(meddled->pid, SIGCONT);
		sleep_ms(3);
	}
	return write(meddled->words->fd[1], "x", 1) != 1;
}

static int kill_it(struct target_words *w)
{
	sleep_ms(20);
	return kill(meddled->pid, SIGKILL);
}

/* A row in which the last call but one reads from a pipe, into its own table. Its result. */
static int row_with_read(struct target *t, struct many *m, struct rows *r, target_fn meddle,
			 struct compel_error *err)
{
	struct compel_row *row = &r->row[0];
	pid_t pids[1];

	target_start(t, wait_until_told);
	pids[0] = t->pid;
	many_stop(m, pids, 1);
	m->task[0].timeout_ms = meddle ? 3000 : 100;
	ok(compel_prepare_many(m->tasks, 1, err));
	if (!rows_open(r, m)) {
		target_kill(t);
		skip();
	}
	row->calls[ROW_CALLS - 2] = (struct compel_call){
		.nr = SYS_read,
		.args = { (uint64_t)t->words->fd[0], row->table + 8, 1 },
	};
	meddled = t;
	pid_t meddler = meddle ? target_fork(meddle, t->words) : 0;
	int ret = compel_row_many(m->tasks, row, 1, err);
	if (meddler)
		waitpid(meddler, NULL, 0);
	return ret;
}

static void a_row_survives_stops_and_continues(void **state)
{
	struct compel_error err = { 0 };
	static struct many m;
	static struct rows r;
	struct target t;

	assert_int_equal(row_with_read(&t, &m, &r, stop_and_continue, &err), 0);
	assert_int_equal(r.call[0][ROW_CALLS - 2].val, 1);
	assert_int_equal(r.call[0][ROW_CALLS - 1].val, -EBADF);
	ok(compel_scratch_close(m.tasks[0], &r.scratch, err));
	ok(compel_finish(m.tasks[0], err));
	target_release(t.pid);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

static void a_row_that_sleeps_is_interrupted_in_time(void **state)
{
	struct compel_error err = { 0 };
	static struct many m;
	static struct rows r;
	struct target t;

	assert_int_equal(row_with_read(&t, &m, &r, NULL, &err), -ETIMEDOUT);
	m.task[0].timeout_ms = 3000;
	many_ask(&m);
	ok(compel_scratch_close(m.tasks[0], &r.scratch, err));
	ok(compel_finish(m.tasks[0], err));
	target_release(t.pid);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

static void a_task_killed_in_a_row_is_noticed(void **state)
{
	struct compel_error err = { 0 };
	static struct many m;
	static struct rows r;
	struct target t;

	assert_int_equal(row_with_read(&t, &m, &r, kill_it, &err), -ESRCH);
	assert_int_equal(compel_scratch_close(m.tasks[0], &r.scratch, &err), -ESRCH);
	assert_int_equal(compel_finish(m.tasks[0], &err), -ESRCH);
	target_kill(&t);
}

static void a_row_with_a_call_that_would_harm_is_refused(void **state)
{
	struct compel_error err;
	static struct many m;
	static struct rows r;
	struct target t;
	pid_t pids[1];

	target_start(&t, wait_until_told);
	pids[0] = t.pid;
	many_stop(&m, pids, 1);
	ok(compel_prepare_many(m.tasks, 1, err));
	if (rows_open(&r, &m)) {
		r.call[0][3].nr = SYS_nanosleep;
		assert_int_equal(compel_row_many(m.tasks, r.row, 1, &err), -EINVAL);
		r.row[0].code = 0;
		assert_int_equal(compel_row_many(m.tasks, r.row, 1, &err), -EOPNOTSUPP);
		ok(compel_scratch_close(m.tasks[0], &r.scratch, err));
	}
	ok(compel_finish(m.tasks[0], err));
	target_release(t.pid);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_hundred_threads_go_on_with_what_they_did),
		cmocka_unit_test(signals_that_come_meanwhile_are_neither_lost_nor_taken),
		cmocka_unit_test(one_that_is_killed_does_not_keep_the_others),
		cmocka_unit_test(one_that_sleeps_does_not_keep_the_others),
		cmocka_unit_test(scratch_is_refused_to_one_and_given_to_the_others),
		cmocka_unit_test(rows_run_in_two_hundred_threads_and_leave_no_trace),
		cmocka_unit_test(a_row_survives_stops_and_continues),
		cmocka_unit_test(a_row_that_sleeps_is_interrupted_in_time),
		cmocka_unit_test(a_task_killed_in_a_row_is_noticed),
		cmocka_unit_test(a_row_with_a_call_that_would_harm_is_refused),
	};

	return cmocka_run_group_tests_name("compel: many at once", tests, NULL, NULL);
}
