/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * compel: threads are seized, stopped, looked at and released, and notice nothing.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>

#include "compel_target.h"

static int exit_at_once(struct target_words *w)
{
	return w->ready = 3;
}

static void a_running_task_stops_and_goes_on(void **state)
{
	struct target t;

	target_start(&t, run_until_told);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	int32_t count = t.words->count;
	sleep_ms(20);
	assert_int_equal(t.words->count, count);
	target_release(t.pid);
	wait_until(t.words->count != count);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

static void what_cannot_be_seized_is_named(void **state)
{
	struct compel_error err;
	struct target t;

	assert_int_equal(compel_seize(0x3ffffffe, 0, &err), -ESRCH);
	assert_int_equal(err.code, -ESRCH);

	target_start(&t, exit_at_once);
	wait_until(thread_state(t.pid) == 'Z');
	assert_int_equal(compel_seize(t.pid, 0, &err), -ESRCH);
	assert_non_null(strstr(err.text, "zombie"));
	assert_int_equal(target_join(&t), 3);
}

static pid_t traced_pid;

static int trace_other(struct target_words *w)
{
	if (compel_seize(traced_pid, 0, NULL) < 0)
		return 1;
	w->ready = 1;
	while (!w->stop)
		sleep_ms(1);
	return 0;
}

static void another_tracer_is_named(void **state)
{
	struct compel_error err;
	struct target t, tracer;
	char who[32];

	target_start(&t, sleep_for_ever);
	traced_pid = t.pid;
	target_start(&tracer, trace_other);
	assert_int_equal(compel_seize(t.pid, 0, &err), -EBUSY);
	snprintf(who, sizeof(who), "process %d ", tracer.pid);
	assert_non_null(strstr(err.text, who));
	tracer.words->stop = 1;
	assert_int_equal(target_join(&tracer), 0);
	target_kill(&t);
}

/* ---- Signals ---- */

static void signals_sent_to_a_stopped_task_come_after_it(void **state)
{
	struct target t;

	target_start(&t, count_rt_signals);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	for (int i = 0; i < 3; i++)
		assert_int_equal(kill(t.pid, SIGRTMIN), 0);
	sleep_ms(10);
	assert_int_equal(t.words->count, 0);
	target_release(t.pid);
	wait_until(t.words->count == 3);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

/* Stops race with signals here, so that many stops are signal stops first. */
static void no_signal_is_lost_or_doubled_by_stopping(void **state)
{
	struct target t, sender;

	target_start(&t, count_rt_signals);
	signal_to = t;
	target_start(&sender, send_signals);
	for (int i = 0; i < 300; i++) {
		target_stop(t.pid, COMPEL_STOP_EVENT);
		target_release(t.pid);
	}
	sender.words->stop = 1;
	wait_until(thread_state(sender.pid) == 'Z');
	assert_true(sender.words->count > 0);
	wait_until(t.words->count == sender.words->count);
	sleep_ms(20);
	assert_int_equal(t.words->count, sender.words->count);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
	assert_int_equal(target_join(&sender), 0);
}

static void a_deadly_signal_kills_as_ever(void **state)
{
	struct compel_stop stop;
	struct target t;

	target_start(&t, run_until_told);
	ok(compel_seize(t.pid, COMPEL_SEIZE_OPTIONS, err));
	kill(t.pid, SIGKILL);
	compel_interrupt(t.pid, NULL);
	ok(compel_wait_stop(t.pid, compel_deadline(5000), &stop, err));
	assert_int_equal(stop.kind, COMPEL_STOP_EXITED);
	assert_true(WIFSIGNALED(stop.status));
	assert_int_equal(WTERMSIG(stop.status), SIGKILL);
	target_forget(&t);
}

/* ---- Job control ---- */

static void a_task_continued_while_it_is_traced_runs_after(void **state)
{
	struct target t;

	target_start(&t, run_until_told);
	kill(t.pid, SIGSTOP);
	wait_until(thread_state(t.pid) == 'T');
	target_stop(t.pid, COMPEL_STOP_GROUP);
	kill(t.pid, SIGCONT);
	int32_t count = t.words->count;
	target_release(t.pid);
	wait_until(t.words->count != count);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

static void a_task_stopped_while_it_is_traced_is_stopped_after(void **state)
{
	struct target t;

	target_start(&t, run_until_told);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	kill(t.pid, SIGSTOP);
	target_release(t.pid);
	wait_until(thread_state(t.pid) == 'T');
	kill(t.pid, SIGCONT);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

/* ---- Time limits and numbers ---- */

static int vfork_and_wait(struct target_words *w)
{
	pid_t child = vfork();

	if (child == 0) {
		w->tids[0] = (int32_t)syscall(SYS_gettid);
		w->ready = 1;
		while (!w->stop)
			sleep_ms(1);
		_exit(0);
	}
	return waitpid(child, NULL, 0) == child ? 5 : 6;
}

static void a_vforking_parent_times_out_and_stops_later(void **state)
{
	struct compel_stop stop;
	struct compel_error err;
	struct target t;

	target_start(&t, vfork_and_wait);
	wait_until(thread_state(t.pid) == 'D');
	ok(compel_seize(t.pid, COMPEL_SEIZE_OPTIONS, err));
	ok(compel_interrupt(t.pid, err));

	int64_t start = now_ms();

	assert_int_equal(compel_wait_stop(t.pid, compel_deadline(100), &stop, &err), -ETIMEDOUT);
	assert_in_range(now_ms() - start, 95, 1000);
	assert_non_null(strstr(err.text, "state D"));
	t.words->stop = 1;
	ok(compel_wait_stop(t.pid, compel_deadline(5000), &stop, err));
	target_release(t.pid);
	assert_int_equal(target_join(&t), 5);
}

#define NR_THREADS 200

static void *thread_main(void *arg)
{
	struct target_words *w = arg;

	w->tids[__sync_fetch_and_add(&w->count, 1)] = (int32_t)syscall(SYS_gettid);
	while (!w->stop)
		sleep_ms(50);
	return NULL;
}

static int run_threads(struct target_words *w)
{
	pthread_t threads[NR_THREADS];

	for (int i = 0; i < NR_THREADS; i++) {
		if (pthread_create(&threads[i], NULL, thread_main, w))
			return 1;
	}
	while (w->count < NR_THREADS)
		sleep_ms(1);
	w->ready = 1;
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static void many_threads_stop_and_go_on(void **state)
{
	struct compel_stop stop;
	struct target t;

	target_start(&t, run_threads);
	for (int i = 0; i < NR_THREADS; i++) {
		ok(compel_seize(t.words->tids[i], COMPEL_SEIZE_OPTIONS, err));
		ok(compel_interrupt(t.words->tids[i], err));
	}
	int64_t deadline = compel_deadline(5000);

	for (int i = 0; i < NR_THREADS; i++) {
		ok(compel_wait_stop(t.words->tids[i], deadline, &stop, err));
		assert_int_equal(stop.kind, COMPEL_STOP_EVENT);
	}
	for (int i = 0; i < NR_THREADS; i++)
		target_release(t.words->tids[i]);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

/* A leader is reported dead only after its threads: waiting for it first must not hang. */
static void a_killed_process_is_noticed_in_any_order(void **state)
{
	struct compel_stop stop;
	struct target t;

	target_start(&t, run_threads);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	target_stop(t.words->tids[0], COMPEL_STOP_EVENT);
	kill(t.pid, SIGKILL);
	ok(compel_wait_stop(t.pid, compel_deadline(5000), &stop, err));
	assert_int_equal(stop.kind, COMPEL_STOP_EXITED);
	ok(compel_wait_stop(t.words->tids[0], compel_deadline(5000), &stop, err));
	assert_int_equal(stop.kind, COMPEL_STOP_EXITED);
	waitpid(t.pid, NULL, 0);
	target_forget(&t);
}

/* ---- What can be read ---- */

static int keep_signals_pending(struct target_words *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 100; i++) {
		siginfo_t info = { .si_signo = SIGRTMIN, .si_code = SI_QUEUE };

		info.si_pid = getpid();
		info.si_value.sival_int = i;
		syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGRTMIN, &info);
	}
	kill(getpid(), SIGUSR1);
	w->ready = 1;
	for (;;)
		pause();
	return 0;
}

static void all_pending_signals_are_read_and_stay(void **state)
{
	siginfo_t *infos;
	struct target t;

	target_start_asleep(&t, keep_signals_pending);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(compel_siginfo_peek(t.pid, false, &infos, NULL), 100);
		for (int i = 0; i < 100; i++) {
			assert_int_equal(infos[i].si_signo, SIGRTMIN);
			assert_int_equal(infos[i].si_value.sival_int, i);
		}
		free(infos);
		assert_int_equal(compel_siginfo_peek(t.pid, true, &infos, NULL), 1);
		assert_int_equal(infos[0].si_signo, SIGUSR1);
		assert_int_equal(infos[0].si_pid, t.pid);
		free(infos);
	}
	target_release(t.pid);
	target_kill(&t);
}

static int set_mask(struct target_words *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGRTMAX);
	sigprocmask(SIG_SETMASK, &set, NULL);
	w->wide = (int64_t)(uintptr_t)__builtin_thread_pointer();
	w->ready = 1;
	for (;;)
		pause();
	return 0;
}

static void mask_thread_pointer_and_rseq_are_read(void **state)
{
	struct compel_rseq rseq;
	uint64_t mask, tls;
	siginfo_t *infos;
	struct target t;

	target_start_asleep(&t, set_mask);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	ok(compel_sigmask_get(t.pid, &mask, err));
	assert_true(mask == (1ULL << (SIGUSR2 - 1) | 1ULL << (SIGRTMAX - 1)));
	ok(compel_sigmask_set(t.pid, 1, err));
	ok(compel_sigmask_get(t.pid, &mask, err));
	assert_true(mask == 1);
	ok(compel_tls_get(t.pid, &tls, err));
	assert_true(tls == (uint64_t)t.words->wide);
#ifdef __arm__
	assert_int_equal(compel_tls_set(t.pid, tls, NULL), -EOPNOTSUPP);
#else
	ok(compel_tls_set(t.pid, tls, err));
#endif
	assert_int_equal(compel_siginfo_peek(t.pid, false, &infos, NULL), 0);
	assert_null(infos);
	int ret = compel_rseq_get(t.pid, &rseq, NULL);
	assert_true(ret == 0 || ret == -EIO);
	if (ret == 0 && rseq.addr)
		assert_true(rseq.size >= 20);
	target_release(t.pid);
	target_kill(&t);
}

static void fpu_registers_come_in_any_buffer_that_is_large_enough(void **state)
{
	static uint8_t buf[COMPEL_FPU_MAX];
	struct compel_fpu own, mine;
	struct compel_error err;
	struct target t;

	target_start(&t, run_until_told);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	compel_fpu_init(&own, NULL, 0);
	compel_fpu_init(&mine, buf, sizeof(buf));
	ok(compel_fpu_get(t.pid, &own, err));
	ok(compel_fpu_get(t.pid, &mine, err));
	assert_int_equal(own.size, mine.size);
	assert_memory_equal(own.data, mine.data, own.size);
	ok(compel_fpu_set(t.pid, &mine, err));
	compel_fpu_fini(&mine);
	compel_fpu_init(&mine, buf, 16);
	assert_int_equal(compel_fpu_get(t.pid, &mine, &err), -ENOSPC);
	compel_fpu_fini(&own);
	target_release(t.pid);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

static int install_two_filters(struct target_words *w)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	for (uint32_t i = 0; i < 2; i++) {
		struct sock_filter insns[] = {
			BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
			BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x12345 + i, 0, 1),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
			BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		};
		struct sock_fprog prog = { .len = 4, .filter = insns };

		if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, i ? SECCOMP_FILTER_FLAG_LOG : 0,
			    &prog))
			return 1;
	}
	w->ready = 1;
	for (;;)
		pause();
	return 0;
}

static void seccomp_filters_are_read_oldest_first(void **state)
{
	struct compel_bpf_insn *insns;
	struct compel_error err;
	struct target t;
	uint64_t flags;

	target_start(&t, install_two_filters);
	target_stop(t.pid, COMPEL_STOP_EVENT);
	for (uint32_t i = 0; i < 2; i++) {
		int nr = compel_seccomp_get_filter(t.pid, i, &insns, &flags, &err);

		if (nr == -EACCES || nr == -EPERM || nr == -EIO) {
			target_kill(&t);
			skip();
		}
		assert_int_equal(nr, 4);
		assert_int_equal(insns[1].k, 0x12345 + i);
		assert_int_equal(flags, i ? SECCOMP_FILTER_FLAG_LOG : 0);
		free(insns);
	}
	assert_int_equal(compel_seccomp_get_filter(t.pid, 2, &insns, &flags, &err), -ENOENT);
	target_release(t.pid);
	target_kill(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_running_task_stops_and_goes_on),
		cmocka_unit_test(what_cannot_be_seized_is_named),
		cmocka_unit_test(another_tracer_is_named),
		cmocka_unit_test(signals_sent_to_a_stopped_task_come_after_it),
		cmocka_unit_test(no_signal_is_lost_or_doubled_by_stopping),
		cmocka_unit_test(a_deadly_signal_kills_as_ever),
		cmocka_unit_test(a_task_continued_while_it_is_traced_runs_after),
		cmocka_unit_test(a_task_stopped_while_it_is_traced_is_stopped_after),
		cmocka_unit_test(a_vforking_parent_times_out_and_stops_later),
		cmocka_unit_test(many_threads_stop_and_go_on),
		cmocka_unit_test(a_killed_process_is_noticed_in_any_order),
		cmocka_unit_test(all_pending_signals_are_read_and_stay),
		cmocka_unit_test(mask_thread_pointer_and_rseq_are_read),
		cmocka_unit_test(fpu_registers_come_in_any_buffer_that_is_large_enough),
		cmocka_unit_test(seccomp_filters_are_read_oldest_first),
	};

	return cmocka_run_group_tests_name("compel: stop", tests, NULL, NULL);
}
