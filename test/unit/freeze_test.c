// SPDX-License-Identifier: GPL-2.0-only
/*
 * Freezing and thawing of process trees that were made for it.
 */
#include <pthread.h>
#include <sys/ptrace.h>

#include "compel_target.h"
#include "target/freeze.h"

/* Freezes, and fails with the words of the failure. */
static void freeze(struct frozen_tree *tree, pid_t root)
{
	struct err err = ERR_INIT;

	if (freeze_tree(tree, root, NULL, &err) < 0)
		fail_msg("freeze: %s", err.text);
}

static void thaw(struct frozen_tree *tree, enum thaw_how how)
{
	struct err err = ERR_INIT;

	if (thaw_tree(tree, how, &err) < 0)
		fail_msg("thaw: %s", err.text);
	assert_int_equal(tree->tasks.n, 0);
}

/* Counts in words->count until words->stop. */
static int count(struct target_words *words)
{
	for (words->ready = 1; !words->stop; words->count++)
		;
	return 0;
}

static bool counts(struct target_words *words)
{
	int32_t before = words->count;

	for (int i = 0; i < 200 && words->count == before; i++)
		sleep_ms(5);
	return words->count != before;
}

static bool stands_still(struct target_words *words)
{
	int32_t before = words->count;

	sleep_ms(20);
	return words->count == before;
}

/* Forks a child that runs @fn; its number goes to words->tids[@slot]. */
static void fork_into(struct target_words *words, int slot, target_fn fn)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(fn(words));
	}
	words->tids[slot] = pid;
}

static int idle(struct target_words *words)
{
	for (;;)
		pause();
	return words->stop;
}

static int parent_of_counter(struct target_words *words)
{
	fork_into(words, 3, count);
	return idle(words);
}

/* tids[0]: itself, [1] and [2]: children, [3]: child of [2], which counts. */
static int family(struct target_words *words)
{
	words->tids[0] = getpid();
	fork_into(words, 1, idle);
	fork_into(words, 2, parent_of_counter);
	return idle(words);
}

static void start_family(struct target *t)
{
	target_start(t, family);
	wait_until(t->words->tids[1] && t->words->tids[2] && t->words->tids[3]);
}

static void kill_family(struct target *t)
{
	for (int i = 1; i < 4; i++)
		if (t->words->tids[i] > 0)
			kill(t->words->tids[i], SIGKILL);
	target_kill(t);
}

static void a_tree_is_frozen_whole_and_parents_come_first(void **state)
{
	struct frozen_tree tree;
	struct target t;

	start_family(&t);
	freeze(&tree, t.pid);
	assert_int_equal(tree.tasks.n, 4);
	assert_int_equal(tree.tasks.v[0]->pid, t.pid);
	for (size_t i = 1; i < 4; i++) {
		size_t parent = 0;

		while (parent < i && tree.tasks.v[parent]->pid != tree.tasks.v[i]->ppid)
			parent++;
		assert_true(parent < i);
		assert_true(tree.tasks.v[i]->pidfd >= 0);
		assert_int_equal(thread_state(tree.tasks.v[i]->pid), 't');
	}
	assert_true(stands_still(t.words));
	thaw(&tree, THAW_RUN);
	assert_true(counts(t.words));
	kill_family(&t);
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int many_threads(struct target_words *words)
{
	for (int i = 0; i < 20; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, sleeper, NULL))
			return 1;
	}
	return count(words);
}

static void every_thread_stands_and_the_leader_is_first(void **state)
{
	struct frozen_tree tree;
	struct target t;

	target_start(&t, many_threads);
	freeze(&tree, t.pid);
	struct frozen_task *task = tree.tasks.v[0];
	assert_int_equal(task->threads.n, 21);
	assert_int_equal(task->threads.v[0].tid, t.pid);
	for (size_t i = 0; i < task->threads.n; i++) {
		assert_true(task->threads.v[i].stands);
		assert_true(i < 2 || task->threads.v[i].tid > task->threads.v[i - 1].tid);
		assert_int_equal(thread_state(task->threads.v[i].tid), 't');
	}
	thaw(&tree, THAW_RUN);
	assert_true(counts(t.words));
	target_kill(&t);
}

static void *short_lived(void *arg)
{
	struct target_words *words = arg;

	__atomic_add_fetch(&words->count, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static int churn(struct target_words *words)
{
	for (words->ready = 1; !words->stop;) {
		pthread_t thread;
		pid_t pid;

		if (pthread_create(&thread, NULL, short_lived, words) == 0)
			pthread_join(thread, NULL);
		pid = fork();
		if (pid == 0)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return 0;
}

static void threads_and_children_may_come_and_go(void **state)
{
	struct target t;

	target_start(&t, churn);
	for (int i = 0; i < 100; i++) {
		struct frozen_tree tree;

		freeze(&tree, t.pid);
		thaw(&tree, THAW_RUN);
	}
	assert_true(counts(t.words));
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 0);
}

static void a_stopped_task_stays_stopped(void **state)
{
	struct frozen_tree tree;
	struct target t;

	target_start(&t, many_threads);
	kill(t.pid, SIGSTOP);
	wait_until(thread_state(t.pid) == 'T');
	freeze(&tree, t.pid);
	assert_int_equal(tree.tasks.v[0]->stop_signo, SIGSTOP);
	thaw(&tree, THAW_RUN);
	wait_until(thread_state(t.pid) == 'T');
	assert_true(stands_still(t.words));
	kill(t.pid, SIGCONT);
	assert_true(counts(t.words));
	target_kill(&t);
}

static void tasks_can_be_left_stopped(void **state)
{
	struct frozen_tree tree;
	struct target t;

	start_family(&t);
	freeze(&tree, t.pid);
	assert_int_equal(tree.tasks.v[0]->stop_signo, 0);
	int32_t at = t.words->count;
	thaw(&tree, THAW_STOP);
	for (int i = 0; i < 4; i++)
		wait_until(thread_state(t.words->tids[i]) == 'T');
	assert_int_equal(t.words->count, at);
	for (int i = 0; i < 4; i++)
		kill(t.words->tids[i], SIGCONT);
	assert_true(counts(t.words));
	kill_family(&t);
}

static void a_killed_tree_does_not_run_again(void **state)
{
	struct frozen_tree tree;
	struct target t;
	int status;

	/* So that the orphans' ends can be seen. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	start_family(&t);
	freeze(&tree, t.pid);
	int32_t at = t.words->count;
	thaw(&tree, THAW_KILL);
	assert_int_equal(t.words->count, at);
	for (int i = 1; i < 4; i++) {
		pid_t got = waitpid(t.words->tids[i], &status, 0);

		assert_true(got < 0 || WIFSIGNALED(status));
		assert_int_equal(thread_state(t.words->tids[i]), '?');
	}
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	target_forget(&t); /* the root's exit status was taken by its tracer, this process */
}

static int seven(struct target_words *words)
{
	(void)words;
	return 7;
}

static int with_zombie(struct target_words *words)
{
	fork_into(words, 1, seven);
	while (thread_state(words->tids[1]) != 'Z')
		sleep_ms(1);
	count(words);
	int status = 0;
	waitpid(words->tids[1], &status, 0);
	return WEXITSTATUS(status);
}

static void zombies_are_noted_and_keep_their_status(void **state)
{
	struct frozen_tree tree;
	struct target t;

	target_start(&t, with_zombie);
	freeze(&tree, t.pid);
	assert_int_equal(tree.tasks.n, 2);
	assert_true(tree.tasks.v[1]->zombie);
	assert_int_equal(tree.tasks.v[1]->pid, t.words->tids[1]);
	assert_int_equal(tree.tasks.v[1]->threads.n, 1);
	thaw(&tree, THAW_RUN);
	t.words->stop = 1;
	assert_int_equal(target_join(&t), 7);
}

/* A vfork()ed child that exits when words->stop is set, or after words->value ms. */
static int vfork_parent(struct target_words *words)
{
	words->ready = 1;
	pid_t pid = vfork();
	if (pid == 0) {
		words->tids[1] = getpid();
		for (int i = 0; i < words->value && !words->stop; i++)
			usleep(1000);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return count(words);
}

static void start_vfork_parent(struct target *t, int ms)
{
	target_words_map(t);
	t->words->value = ms;
	t->pid = target_fork(vfork_parent, t->words);
	wait_until(t->words->tids[1] && thread_state(t->pid) == 'D');
}

static void a_vforked_child_is_let_run_until_its_parent_can_stop(void **state)
{
	struct frozen_tree tree;
	struct target t;

	start_vfork_parent(&t, 100);
	freeze(&tree, t.pid);
	assert_int_equal(tree.tasks.v[0]->pid, t.pid);
	assert_true(tree.tasks.v[0]->threads.v[0].stands);
	thaw(&tree, THAW_RUN);
	assert_true(counts(t.words));
	target_kill(&t);
}

/* Freezes with a time limit and copies the failure to words->value; its exit frees the rest. */
static int try_to_freeze(pid_t pid, struct target_words *words, char *text, size_t size)
{
	const struct freeze_opts opts = { .deadline = compel_deadline(100) };
	struct frozen_tree tree;
	struct err err = ERR_INIT;
	pid_t child = fork();

	if (child == 0) {
		int ret = freeze_tree(&tree, pid, &opts, &err);

		if (write(words->fd[1], err.text, strlen(err.text) + 1) < 0)
			ret = 0;
		_exit(ret < 0 ? -ret : 0);
	}
	int status = 0;
	waitpid(child, &status, 0);
	ssize_t len = read(words->fd[0], text, size - 1);
	text[len > 0 ? len : 0] = '\0';
	return -WEXITSTATUS(status);
}

static void a_vforked_child_that_lingers_is_named_when_time_is_over(void **state)
{
	char text[700], number[16];
	struct target t;

	start_vfork_parent(&t, 1000000);
	int64_t start = now_ms();
	assert_int_equal(try_to_freeze(t.pid, t.words, text, sizeof(text)), -ETIMEDOUT);
	assert_true(now_ms() - start < 2000);
	snprintf(number, sizeof(number), "%d", t.words->tids[1]);
	assert_non_null(strstr(text, "vfork"));
	assert_non_null(strstr(text, number));
	assert_int_equal(t.words->count, 0);
	t.words->stop = 1;
	/* Both live: the child ends, and so does the parent's waiting. */
	wait_until(thread_state(t.words->tids[1]) == '?');
	assert_int_equal(target_join(&t), 0);
}

static int idle_alone(struct target_words *words)
{
	words->ready = 1;
	return idle(words);
}

static void a_task_that_another_one_traces_is_refused(void **state)
{
	char text[700], number[16];
	struct target t;
	int line[2], back[2];
	char byte;

	target_start_asleep(&t, idle_alone);
	assert_int_equal(pipe(line), 0);
	assert_int_equal(pipe(back), 0);
	pid_t tracer = fork();
	if (tracer == 0) {
		close(line[1]);
		byte = ptrace(PTRACE_SEIZE, t.pid, NULL, NULL) < 0;
		if (write(back[1], &byte, 1) == 1 && read(line[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(line[0]);
	assert_int_equal(read(back[0], &byte, 1), 1);
	assert_int_equal(byte, 0);
	assert_int_equal(try_to_freeze(t.pid, t.words, text, sizeof(text)), -EBUSY);
	snprintf(number, sizeof(number), "%d", tracer);
	assert_non_null(strstr(text, number));
	close(line[1]);
	waitpid(tracer, NULL, 0);
	close(back[0]);
	close(back[1]);
	target_kill(&t);
}

static void *lonely(void *arg)
{
	struct target_words *words = arg;

	while (thread_state(words->tids[0]) != 'Z')
		sleep_ms(1);
	count(words);
	_exit(0);
}

static int dead_leader(struct target_words *words)
{
	pthread_t thread;

	words->tids[0] = getpid();
	if (pthread_create(&thread, NULL, lonely, words))
		return 1;
	pthread_exit(NULL);
}

static void a_process_without_its_main_thread_is_refused(void **state)
{
	struct frozen_tree tree;
	struct err err = ERR_INIT;
	struct target t;

	target_start(&t, dead_leader);
	assert_int_equal(freeze_tree(&tree, t.pid, NULL, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "main thread"));
	assert_int_equal(tree.tasks.n, 0);
	assert_true(counts(t.words));
	target_kill(&t);
}

static void what_is_no_process_is_refused_with_words(void **state)
{
	struct frozen_tree tree;
	struct err err = ERR_INIT;
	struct target t;

	/* A child that has been waited for, so that its number is free. */
	pid_t gone = fork();
	if (gone == 0)
		_exit(0);
	waitpid(gone, NULL, 0);
	assert_int_equal(freeze_tree(&tree, gone, NULL, &err), -ESRCH);
	thaw(&tree, THAW_RUN); /* an empty tree */

	gone = fork();
	if (gone == 0)
		_exit(0);
	wait_until(thread_state(gone) == 'Z');
	assert_int_equal(freeze_tree(&tree, gone, NULL, &err), -ESRCH);
	assert_non_null(strstr(err.text, "zombie"));
	waitpid(gone, NULL, 0);

	target_start(&t, many_threads);
	freeze(&tree, t.pid);
	pid_t thread = tree.tasks.v[0]->threads.v[1].tid;
	thaw(&tree, THAW_RUN);
	assert_int_equal(freeze_tree(&tree, thread, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "thread"));
	target_kill(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_is_frozen_whole_and_parents_come_first),
		cmocka_unit_test(every_thread_stands_and_the_leader_is_first),
		cmocka_unit_test(threads_and_children_may_come_and_go),
		cmocka_unit_test(a_stopped_task_stays_stopped),
		cmocka_unit_test(tasks_can_be_left_stopped),
		cmocka_unit_test(a_killed_tree_does_not_run_again),
		cmocka_unit_test(zombies_are_noted_and_keep_their_status),
		cmocka_unit_test(a_vforked_child_is_let_run_until_its_parent_can_stop),
		cmocka_unit_test(a_vforked_child_that_lingers_is_named_when_time_is_over),
		cmocka_unit_test(a_task_that_another_one_traces_is_refused),
		cmocka_unit_test(a_process_without_its_main_thread_is_refused),
		cmocka_unit_test(what_is_no_process_is_refused_with_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
