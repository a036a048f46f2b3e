// SPDX-License-Identifier: GPL-2.0-only
/*
 * The /proc engine and the remote system calls on live targets: what a target made itself must
 * stand in the records.
 */
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "base/io.h"
#include "base/strbuf.h"
#include "collect/dev.h"
#include "collect/inside/inside.h"
#include "compel_target.h"

/* Keeps all records. */
struct keeper {
	struct rec_sink sink;
	struct arena arena;
	ARRAY(const struct rec_hdr *) recs;
};

static int keep(struct rec_sink *sink, const struct rec_hdr *rec, struct err *err)
{
	struct keeper *keeper = container_of(sink, struct keeper, sink);

	(void)err;
	assert_int_equal(rec->len % 8, 0);
	*array_push(&keeper->arena, &keeper->recs) = arena_memdup(&keeper->arena, rec, rec->len);
	return 0;
}

static struct keeper keeper_new(void)
{
	return (struct keeper){ .sink.emit = keep };
}

/* The record of that type number @i, NULL: there are not so many. */
static const void *find_rec(const struct keeper *keeper, enum rec_type type, size_t i)
{
	for (size_t r = 0; r < keeper->recs.n; r++)
		if (keeper->recs.v[r]->type == type && i-- == 0)
			return keeper->recs.v[r];
	return NULL;
}

static const struct rec_fd *find_fd(const struct keeper *keeper, pid_t pid, int fd)
{
	const struct rec_fd *rec;

	for (size_t i = 0; (rec = find_rec(keeper, REC_FD, i)); i++)
		if (rec->hdr.pid == (__u32)pid && rec->fd == (__u32)fd)
			return rec;
	fail_msg("no record of fd %d of %d", fd, pid);
	return NULL;
}

static const struct rec_vma *find_vma(const struct keeper *keeper, uint64_t start)
{
	const struct rec_vma *rec;

	for (size_t i = 0; (rec = find_rec(keeper, REC_VMA, i)); i++)
		if (rec->start == start)
			return rec;
	fail_msg("no record of the mapping at %llx", (unsigned long long)start);
	return NULL;
}

static void assert_path(const char *path, size_t len, const char *expected)
{
	assert_int_equal(len, strlen(expected));
	assert_memory_equal(path, expected, len);
}

static void freeze(struct frozen_tree *tree, pid_t root)
{
	struct err err = ERR_INIT;

	if (freeze_tree(tree, root, NULL, &err) < 0)
		fail_msg("freeze: %s", err.text);
}

static void collect(struct keeper *keeper, struct frozen_tree *tree, enum rec_group group)
{
	struct collect_target *targets =
		ARENA_ARRAY(&tree->arena, struct collect_target, tree->tasks.n);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < tree->tasks.n; i++) {
		const struct frozen_task *task = tree->tasks.v[i];
		pid_t *tids = ARENA_ARRAY(&tree->arena, pid_t, task->threads.n);

		for (size_t t = 0; t < task->threads.n; t++)
			tids[t] = task->threads.v[t].tid;
		targets[i] = (struct collect_target){ task->pid, task->pidfd, tids, task->threads.n,
						      task->zombie };
	}
	struct source *source = proc_source_new(&err);
	assert_non_null(source);
	if (source->ops->collect(source, group, targets, tree->tasks.n, &keeper->sink, &err) < 0)
		fail_msg("collect: %s", err.text);
	source->ops->free(source);
}

/* Asks every task of @tree for what @like names. */
static void ask(struct keeper *keeper, const struct frozen_tree *tree,
		const struct inside_need *like)
{
	struct inside_need *needs = ARENA_ARRAY(&keeper->arena, struct inside_need, tree->tasks.n);
	struct err err = ERR_INIT;

	for (size_t i = 0; i < tree->tasks.n; i++) {
		needs[i] = *like;
		needs[i].task = tree->tasks.v[i];
	}
	if (inside_collect(needs, tree->tasks.n, &keeper->sink, &err) < 0)
		fail_msg("inside: %s", err.text);
}

static void finish(struct keeper *keeper, struct frozen_tree *tree)
{
	assert_int_equal(thaw_tree(tree, THAW_RUN, NULL), 0);
	arena_fini(&keeper->arena);
}

/* Ends when words->stop is set. */
static int wait_for_end(struct target_words *words)
{
	for (words->ready = 1; !words->stop;)
		sleep_ms(2);
	return 0;
}

static int end(struct target *t)
{
	t->words->stop = 1;
	return target_join(t);
}

/* ---- Descriptors ---- */

enum { FD_FILE = 100, FD_DUP, FD_OTHER, FD_DELETED, FD_TRICKY, FD_EVENT, FD_EVENT_DUP, FD_EVENT2 };

static const char *folder(void)
{
	static char path[] = "/tmp/collect_test.XXXXXX";
	static bool made;

	if (!made)
		assert_non_null(mkdtemp(path));
	made = true;
	return path;
}

static char *in_folder(char *path, const char *name)
{
	snprintf(path, 256, "%s/%s", folder(), name);
	return path;
}

static void open_as(int number, const char *name, int flags)
{
	char path[256];
	int fd = open(in_folder(path, name), flags | O_CREAT, 0640);

	dup3(fd, number, flags & O_CLOEXEC);
	close(fd);
}

static int with_files(struct target_words *words)
{
	char path[256];

	open_as(FD_FILE, "file", O_RDWR | O_APPEND);
	dup2(FD_FILE, FD_DUP);
	open_as(FD_OTHER, "file", O_RDWR | O_APPEND | O_CLOEXEC);
	open_as(FD_DELETED, "gone", O_RDONLY);
	unlink(in_folder(path, "gone"));
	open_as(FD_TRICKY, "here (deleted)", O_RDONLY);
	dup2(eventfd(0, 0), FD_EVENT);
	dup2(FD_EVENT, FD_EVENT_DUP);
	dup2(eventfd(0, 0), FD_EVENT2);
	if (write(FD_FILE, "12345", 5) != 5)
		return 1;
	words->tids[1] = fork();
	return wait_for_end(words);
}

static void descriptors_carry_flags_position_and_inode(void **state)
{
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;
	char path[256];
	struct stat st;

	target_start(&t, with_files);
	freeze(&tree, t.pid);
	collect(&keeper, &tree, RG_FD);
	const struct rec_fd *rec = find_fd(&keeper, t.pid, FD_FILE);
	assert_int_equal(stat(in_folder(path, "file"), &st), 0);
	assert_int_equal(rec->hdr.valid, RV_FD_FLAGS | RV_FD_INODE | RV_FD_PATH | RV_FD_OFD);
	assert_int_equal(rec->pos, 5);
	assert_int_equal(rec->flags & (O_ACCMODE | O_APPEND), O_RDWR | O_APPEND);
	assert_int_equal(rec->mode, S_IFREG | 0640);
	assert_int_equal(rec->dev, rec_dev_from_stat(st.st_dev));
	assert_int_equal(rec->ino, st.st_ino);
	assert_int_equal(rec->size, 5);
	assert_int_equal(rec->mtime_ns,
			 st.st_mtim.tv_sec * 1000000000ULL + (uint64_t)st.st_mtim.tv_nsec);
	assert_int_equal(rec->cloexec, 0);
	assert_int_equal(rec->file_flags, 0);
	assert_path(rec->path, rec->path_len, path);
	assert_int_equal(find_fd(&keeper, t.pid, FD_OTHER)->cloexec, 1);
	assert_int_equal(find_fd(&keeper, t.pid, FD_OTHER)->flags & O_CLOEXEC, 0);
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

static void deleted_files_are_told_from_files_that_are_called_so(void **state)
{
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;
	char path[256];

	target_start(&t, with_files);
	freeze(&tree, t.pid);
	collect(&keeper, &tree, RG_FD);
	const struct rec_fd *rec = find_fd(&keeper, t.pid, FD_DELETED);
	assert_int_equal(rec->file_flags, REC_FILE_DELETED);
	assert_int_equal(rec->nlink, 0);
	assert_path(rec->path, rec->path_len, in_folder(path, "gone"));
	rec = find_fd(&keeper, t.pid, FD_TRICKY);
	assert_int_equal(rec->file_flags, 0);
	assert_path(rec->path, rec->path_len, in_folder(path, "here (deleted)"));
	rec = find_fd(&keeper, t.pid, FD_EVENT);
	assert_path(rec->path, rec->path_len, "anon_inode:[eventfd]");
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

static void what_is_shared_has_one_number(void **state)
{
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;

	target_start(&t, with_files);
	freeze(&tree, t.pid);
	collect(&keeper, &tree, RG_FD);
	pid_t child = tree.tasks.v[1]->pid;
	static const int fds[] = { FD_FILE,   FD_DUP,   FD_OTHER,     FD_DELETED,
				   FD_TRICKY, FD_EVENT, FD_EVENT_DUP, FD_EVENT2 };
	static const int same[] = { 0, 0, 2, 3, 4, 5, 5, 7 };
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(fds); j++) {
			uint64_t one = find_fd(&keeper, t.pid, fds[i])->ofd_id;
			uint64_t other = find_fd(&keeper, child, fds[j])->ofd_id;

			assert_int_equal(one == other, same[i] == same[j]);
		}
	}
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

/* ---- Memory ---- */

enum { PLACE = 0x20000000, PAGES = 16 };

static int with_mappings(struct target_words *words)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *at = (char *)(uintptr_t)PLACE, path[256];
	int fixed = MAP_FIXED | MAP_PRIVATE;

	int fd = open(in_folder(path, "line\nand \\012"), O_RDWR | O_CREAT, 0600);
	int gone = open(in_folder(path, "mapped"), O_RDWR | O_CREAT, 0600);
	unlink(path);
	if (ftruncate(fd, (off_t)(4 * page)) || ftruncate(gone, (off_t)page))
		return 1;
	mmap(at, page, PROT_READ | PROT_WRITE, fixed | MAP_ANONYMOUS, -1, 0);
	mmap(at + 2 * page, page, PROT_READ | PROT_WRITE, fixed | MAP_ANONYMOUS, -1, 0);
	at[2 * page] = 1;
	mmap(at + 4 * page, page, PROT_READ | PROT_EXEC, MAP_FIXED | MAP_SHARED, fd,
	     (off_t)(3 * page));
	mmap(at + 6 * page, page, PROT_READ, fixed, gone, 0);
	mmap(at + 8 * page, page, PROT_NONE, MAP_FIXED | MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	mmap(at + 10 * page, page, PROT_READ, fixed | MAP_ANONYMOUS, -1, 0);
	madvise(at + 10 * page, page, MADV_DONTFORK);
	close(fd);
	close(gone);
	return wait_for_end(words);
}

static void mappings_carry_flags_files_and_whether_pages_are_theirs(void **state)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;
	char path[256];
	struct stat st;

	target_start(&t, with_mappings);
	freeze(&tree, t.pid);
	collect(&keeper, &tree, RG_MM);
	const struct rec_vma *rec = find_vma(&keeper, PLACE);
	if (!(rec->hdr.valid & RV_VMA_FLAGS))
		skip();
	assert_int_equal(rec->end, PLACE + page);
	assert_int_equal(rec->populated, 0);
	assert_int_equal(rec->name_len, 0);
	assert_int_equal(find_vma(&keeper, PLACE + 2 * page)->populated, 1);

	rec = find_vma(&keeper, PLACE + 4 * page);
	assert_int_equal(stat(in_folder(path, "line\nand \\012"), &st), 0);
	assert_int_equal(rec->offset, 3 * page);
	assert_true(rec->flags & REC_VMF(EXEC));
	assert_true(rec->flags & REC_VMF(SHARED));
	assert_int_equal(rec->dev, rec_dev_from_stat(st.st_dev));
	assert_int_equal(rec->ino, st.st_ino);
	assert_path(rec->name, rec->name_len, path);

	rec = find_vma(&keeper, PLACE + 6 * page);
	assert_int_equal(rec->file_flags, REC_FILE_DELETED);
	assert_path(rec->name, rec->name_len, in_folder(path, "mapped"));
	rec = find_vma(&keeper, PLACE + 8 * page);
	assert_true(rec->flags & REC_VMF(MAYSHARE));
	assert_int_equal(rec->file_flags, REC_FILE_DELETED);
	assert_true(find_vma(&keeper, PLACE + 10 * page)->flags & REC_VMF(DONTCOPY));

	const struct rec_mm *mm = find_rec(&keeper, REC_MM, 0);
	assert_int_equal(mm->hdr.valid, RV_MM_LAYOUT | RV_MM_AUXV);
	assert_true(mm->start_stack && mm->start_brk && mm->nr_auxv);
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

/* ---- Tasks, threads, and inside ---- */

static void handler(int signo)
{
	(void)signo;
}

static void *second_thread(void *arg)
{
	struct target_words *words = arg;
	static char stack[65536];
	stack_t sas = { .ss_sp = stack, .ss_size = sizeof(stack) }, old;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	setpriority(PRIO_PROCESS, 0, 5);
	prctl(PR_SET_NAME, "second) (");
	prctl(PR_SET_TIMERSLACK, 12345UL);
	prctl(PR_SET_PDEATHSIG, SIGUSR2);
	sigaltstack(&sas, &old);
	words->wide = (intptr_t)stack;
	words->tids[1] = (int32_t)syscall(SYS_gettid);
	while (!words->stop)
		sleep_ms(2);
	sigaltstack(&old, NULL); /* a sanitizer has one, and wants it back */
	return NULL;
}

static int with_attributes(struct target_words *words)
{
	const struct itimerval itimer = { .it_interval = { 7, 500 }, .it_value = { 5000, 0 } };
	const struct itimerspec spec = { .it_interval = { 3, 9 }, .it_value = { 6000, 0 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	const stack_t no_sas = { .ss_flags = SS_DISABLE };
	stack_t old_sas;
	pthread_t thread;
	timer_t timer;

	sigaddset(&action.sa_mask, SIGHUP);
	sigaddset(&action.sa_mask, 64);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGUSR2, SIG_IGN);
	action = (struct sigaction){ .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT };
	sigaction(SIGCHLD, &action, NULL);
	sigaddset(&action.sa_mask, SIGWINCH);
	action.sa_flags = SA_RESTART | SA_NODEFER;
	sigaction(SIGTERM, &action, NULL);
	setitimer(ITIMER_REAL, &itimer, NULL);
	event.sigev_value.sival_int = 4711;
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) || timer_settime(timer, 0, &spec, NULL))
		return 1;
	/* registering takes a while when there are other threads */
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	words->value = MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	umask(027);
	sigaltstack(&no_sas, &old_sas);
	if (pthread_create(&thread, NULL, second_thread, words))
		return 1;
	while (!words->tids[1])
		sleep_ms(1);
	words->start = (intptr_t)sbrk(0);
	wait_for_end(words);
	pthread_join(thread, NULL);
	sigaltstack(&old_sas, NULL);
	return umask(0) != 027;
}

static void a_task_has_its_attributes_limits_timers_and_paths(void **state)
{
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;

	target_start(&t, with_attributes);
	freeze(&tree, t.pid);
	collect(&keeper, &tree, RG_TASK);
	const struct rec_task *rec = find_rec(&keeper, REC_TASK, 0);
	assert_int_equal(rec->hdr.valid, RV_TASK_STAT | RV_TASK_STATUS | RV_TASK_PERSONA |
						 RV_TASK_OOM | RV_TASK_SHARED | RV_TASK_NS);
	assert_int_equal(rec->ppid, getpid());
	assert_int_equal(rec->pgid, getpgrp());
	assert_int_equal(rec->sid, getsid(0));
	assert_int_equal(rec->nr_threads, 2);
	assert_int_equal(rec->umask, 027);
	assert_int_equal(rec->exit_signal, SIGCHLD);
	struct stat st;
	assert_int_equal(stat("/proc/self/ns/mnt", &st), 0);
	assert_int_equal(rec->ns[REC_NS_MNT], st.st_ino);

	const struct rec_limits *limits = find_rec(&keeper, REC_LIMITS, 0);
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(limits->limit[RLIMIT_NOFILE].cur, limit.rlim_cur);
	const struct rec_ptimer *timer = find_rec(&keeper, REC_PTIMER, 0);
	if (timer) { /* else a kernel without CONFIG_CHECKPOINT_RESTORE */
		assert_int_equal(timer->clock, CLOCK_MONOTONIC);
		assert_int_equal(timer->signo, SIGUSR1);
		assert_int_equal(timer->sigval & 0xffffffff, 4711);
		assert_int_equal(timer->hdr.valid, 0);
	}
	char cwd[4096];
	assert_non_null(getcwd(cwd, sizeof(cwd)));
	for (size_t i = 0; i < 3; i++) {
		const struct rec_path *path = find_rec(&keeper, REC_PATH, i);

		assert_int_equal(path->which, REC_PATH_CWD + i);
		if (path->which == REC_PATH_CWD)
			assert_path(path->path, path->path_len, cwd);
	}
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

static void threads_differ_in_name_priority_and_cpus(void **state)
{
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;

	target_start(&t, with_attributes);
	freeze(&tree, t.pid);
	collect(&keeper, &tree, RG_THREAD);
	const struct rec_thread *rec = find_rec(&keeper, REC_THREAD, 1);
	assert_int_equal(rec->hdr.tid, t.words->tids[1]);
	assert_string_equal(rec->comm, "second) (");
	assert_int_equal(rec->nice, 5);
	assert_int_equal(rec->sched_policy, SCHED_OTHER);
	assert_int_equal(rec->nr_cpu_words, 1);
	assert_int_equal(rec->tail[0], 1);
	if (rec->hdr.valid & RV_THREAD_SLACK)
		assert_int_equal(rec->timerslack_ns, 12345);
	assert_int_equal(rec->euid, geteuid());
	assert_true(rec->robust_list != 0);
	const struct rec_thread *leader = find_rec(&keeper, REC_THREAD, 0);
	assert_int_equal(leader->hdr.tid, t.pid);
	assert_int_equal(leader->nice, getpriority(PRIO_PROCESS, 0));
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

static const struct inside_need all_needs = {
	.sigactions = true,
	.itimers = true,
	.rec_task = INSIDE_TASK,
	.mm = INSIDE_MM,
	.thread = INSIDE_THREAD,
};

static void inside_tells_actions_and_timers(void **state)
{
	static const uint32_t timer_ids[] = { 0 };
	struct inside_need need = all_needs;
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;

	need.timer_ids = timer_ids;
	need.nr_timer_ids = 1;
	target_start(&t, with_attributes);
	freeze(&tree, t.pid);
	ask(&keeper, &tree, &need);
	const struct rec_sigactions *actions = find_rec(&keeper, REC_SIGACTIONS, 0);
	assert_int_equal(actions->action[SIGUSR1 - 1].handler, (uintptr_t)handler);
	assert_true(actions->action[SIGUSR1 - 1].flags & SA_RESTART);
	assert_int_equal(actions->action[SIGUSR1 - 1].mask,
			 UINT64_C(1) << (SIGHUP - 1) | UINT64_C(1) << 63);
	assert_int_equal(actions->action[SIGUSR2 - 1].handler, 1);
	assert_int_equal(actions->action[SIGCHLD - 1].handler, 0);
	assert_true(actions->action[SIGCHLD - 1].flags & SA_NOCLDWAIT);
	assert_int_equal(actions->action[SIGTERM - 1].handler, 0);
	assert_int_equal(actions->action[SIGTERM - 1].mask, UINT64_C(1) << (SIGWINCH - 1));
	assert_true(actions->action[SIGTERM - 1].flags & SA_RESTART);
	assert_true(actions->action[SIGTERM - 1].flags & SA_NODEFER);
	assert_int_equal(actions->action[SIGHUP - 1].flags, 0);

	const struct rec_itimers *itimers = find_rec(&keeper, REC_ITIMERS, 0);
	assert_in_range(itimers->timer[ITIMER_REAL].value_us, 4900000000, 5000000000);
	assert_int_equal(itimers->timer[ITIMER_REAL].interval_us, 7000500);
	assert_int_equal(itimers->timer[ITIMER_PROF].value_us, 0);
	const struct rec_ptimer *timer = find_rec(&keeper, REC_PTIMER, 0);
	assert_int_equal(timer->hdr.valid, RV_PTIMER_VALUE);
	assert_in_range(timer->value_ns, 5900000000000, 6000000000000);
	assert_int_equal(timer->interval_ns, 3000000009);
	assert_int_equal(timer->overrun, 0);
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

static void inside_tells_switches_of_task_and_threads(void **state)
{
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;

	target_start(&t, with_attributes);
	freeze(&tree, t.pid);
	ask(&keeper, &tree, &all_needs);
	const struct rec_task *task = find_rec(&keeper, REC_TASK, 0);
	assert_int_equal(task->hdr.valid | RV_TASK_MEMBARRIER, INSIDE_TASK);
	if (task->hdr.valid & RV_TASK_MEMBARRIER)
		assert_int_equal(task->membarrier, t.words->value);
	assert_int_equal(task->dumpable, prctl(PR_GET_DUMPABLE));
	assert_int_equal(task->child_subreaper, 1);
	assert_int_equal(task->thp_disabled, 1);
	const struct rec_mm *mm = find_rec(&keeper, REC_MM, 0);
	assert_int_equal(mm->brk, t.words->start);
	assert_int_equal(mm->hdr.valid, RV_MM_BRK);

	const struct rec_thread *rec = find_rec(&keeper, REC_THREAD, 1);
	assert_int_equal(rec->hdr.tid, t.words->tids[1]);
	assert_int_equal(rec->pdeath_sig, SIGUSR2);
	assert_int_equal(rec->timerslack_ns, 12345);
	assert_int_equal(rec->sas_sp, t.words->wide);
	assert_int_equal(rec->sas_size, 65536);
	assert_int_equal(rec->sas_flags, 0);
	rec = find_rec(&keeper, REC_THREAD, 0);
	assert_int_equal(rec->sas_flags, SS_DISABLE);
	assert_int_equal(rec->pdeath_sig, SIGKILL);
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

static void inside_leaves_nothing_behind(void **state)
{
	_cleanup_strbuf_ struct strbuf before = { 0 }, after = { 0 };
	char path[64];
	struct target t;

	target_start(&t, with_attributes);
	snprintf(path, sizeof(path), "/proc/%d/maps", t.pid);
	assert_int_equal(io_read_file(AT_FDCWD, path, &before), 0);
	for (int i = 0; i < 20; i++) {
		struct keeper keeper = keeper_new();
		struct frozen_tree tree;

		freeze(&tree, t.pid);
		ask(&keeper, &tree, &all_needs);
		finish(&keeper, &tree);
	}
	assert_int_equal(io_read_file(AT_FDCWD, path, &after), 0);
	assert_string_equal(strbuf_str(&before), strbuf_str(&after));
	assert_int_equal(end(&t), 0);
}

/* Thirty processes, of which each has as many more threads as its number says, and its slack. */
static void *wait_in_thread(void *arg)
{
	const struct target_words *words = arg;

	while (!words->stop)
		sleep_ms(2);
	return NULL;
}

static int with_threads(struct target_words *words, int nr)
{
	pthread_t thread[30];

	for (int i = 0; i < nr; i++)
		if (pthread_create(&thread[i], NULL, wait_in_thread, words))
			return 1;
	prctl(PR_SET_TIMERSLACK, 1000UL + (unsigned long)nr);
	words->tids[nr] = getpid();
	wait_for_end(words);
	for (int i = 0; i < nr; i++)
		pthread_join(thread[i], NULL);
	return prctl(PR_GET_TIMERSLACK) != 1000 + nr;
}

static int with_many(struct target_words *words)
{
	int status, bad = 0;

	for (int i = 1; i < 30; i++) {
		struct sigaction action = { .sa_handler = i % 2 ? handler : SIG_DFL };

		sigaddset(&action.sa_mask, i);
		sigaction(SIGRTMIN + 1, &action, NULL);
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(with_threads(words, i));
		}
	}
	words->ready = 1;
	bad = with_threads(words, 0);
	while (wait(&status) > 0)
		bad |= status;
	return bad != 0;
}

static void inside_asks_many_at_once_and_mixes_none_up(void **state)
{
	struct inside_need need = all_needs;
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;

	target_start(&t, with_many);
	for (int i = 0; i < 30; i++)
		wait_until(t.words->tids[i]);
	freeze(&tree, t.pid);
	ask(&keeper, &tree, &need);
	for (int i = 1; i < 30; i++) {
		const struct rec_sigactions *actions;
		const struct rec_thread *thread;
		__u32 pid = (__u32)t.words->tids[i];
		size_t at = 0;

		while ((actions = find_rec(&keeper, REC_SIGACTIONS, at)) && actions->hdr.pid != pid)
			at++;
		assert_non_null(actions);
		assert_int_equal(actions->action[SIGRTMIN].mask,
				 i == SIGKILL || i == SIGSTOP ? 0 : UINT64_C(1) << (i - 1));
		assert_int_equal(actions->action[SIGRTMIN].handler, i % 2 ? (uintptr_t)handler : 0);
		int nr_threads = 0;
		for (at = 0; (thread = find_rec(&keeper, REC_THREAD, at)); at++) {
			nr_threads += thread->hdr.pid == pid;
			if (thread->hdr.tid == pid)
				assert_int_equal(thread->timerslack_ns, 1000 + i);
		}
		assert_int_equal(nr_threads, i + 1);
	}
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

enum { MORE_THREADS = 5 };

static int run_threads(struct target_words *words)
{
	pthread_t thread[MORE_THREADS];

	for (int i = 0; i < MORE_THREADS; i++)
		if (pthread_create(&thread[i], NULL, wait_in_thread, words))
			return 1;
	wait_for_end(words);
	for (int i = 0; i < MORE_THREADS; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

static int without_room(struct target_words *words)
{
	const struct rlimit limit = { .rlim_cur = 1 << 20, .rlim_max = RLIM_INFINITY };
	const struct rlimit none = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_in_thread, words) || setrlimit(RLIMIT_AS, &limit))
		return 1;
	wait_for_end(words);
	setrlimit(RLIMIT_AS, &none);
	return pthread_join(thread, NULL);
}

/* Nothing may become executable, as services of systemd may ask for. */
static int without_new_code(struct target_words *words)
{
	enum { SET_MDWE = 65, REFUSE_EXEC_GAIN = 1 }; /* Linux 6.3 */

	prctl(SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0);
	return run_threads(words);
}

static void check_inside(target_fn fn, int nr_threads)
{
	struct keeper keeper = keeper_new();
	const struct rec_thread *thread;
	struct frozen_tree tree;
	struct target t;
	int n = 0;

	target_start(&t, fn);
	freeze(&tree, t.pid);
	ask(&keeper, &tree, &all_needs);
	const struct rec_sigactions *actions = find_rec(&keeper, REC_SIGACTIONS, 0);
	assert_non_null(actions);
	assert_int_equal(actions->action[SIGTERM - 1].handler, 0);
	for (; (thread = find_rec(&keeper, REC_THREAD, (size_t)n)); n++)
		assert_int_equal(thread->hdr.valid & INSIDE_THREAD, INSIDE_THREAD);
	assert_int_equal(n, nr_threads);
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

static void inside_works_where_nothing_more_can_be_mapped(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	skip(); /* the target needs room for the sanitizer's own sake */
#endif
	check_inside(without_room, 2);
}

static void inside_works_where_no_code_may_be_added(void **state)
{
	check_inside(without_new_code, 1 + MORE_THREADS);
}

static void inside_says_which_task_was_killed_and_frees_the_others(void **state)
{
	struct inside_need needs[30];
	struct keeper keeper = keeper_new();
	struct err err = ERR_INIT;
	struct frozen_tree tree;
	char words[32];
	struct target t;

	target_start(&t, with_many);
	for (int i = 0; i < 30; i++)
		wait_until(t.words->tids[i]);
	freeze(&tree, t.pid);
	assert_int_equal(tree.tasks.n, 30);
	for (size_t i = 0; i < 30; i++) {
		needs[i] = all_needs;
		needs[i].task = tree.tasks.v[i];
	}
	kill(t.words->tids[9], SIGKILL);
	wait_until(thread_state(t.words->tids[9]) != 't');
	assert_int_equal(inside_collect(needs, 30, &keeper.sink, &err), -ESRCH);
	snprintf(words, sizeof(words), "task %d: ", t.words->tids[9]);
	assert_non_null(strstr(err.text, words));
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 1);
}

/* ---- What tasks share ---- */

static int in_same_files(void *arg)
{
	return wait_for_end(arg);
}

/* tids[1]: a child with the descriptor table and the memory of its parent; [2]: an ordinary one. */
static int with_sharing(struct target_words *words)
{
	static char stack[65536] __attribute__((aligned(16)));

	words->tids[1] = clone(in_same_files, stack + sizeof(stack),
			       CLONE_VM | CLONE_FILES | SIGCHLD, words);
	pid_t pid = fork();
	if (pid == 0)
		_exit(wait_for_end(words));
	words->tids[2] = pid;
	wait_for_end(words);
	while (wait(NULL) > 0)
		;
	return 0;
}

static void tasks_that_share_objects_name_the_same(void **state)
{
	const struct rec_task *rec, *parent = NULL, *same = NULL, *other = NULL;
	struct keeper keeper = keeper_new();
	struct frozen_tree tree;
	struct target t;

	target_start(&t, with_sharing);
	wait_until(t.words->tids[1] && t.words->tids[2]);
	freeze(&tree, t.pid);
	collect(&keeper, &tree, RG_TASK);
	for (size_t i = 0; (rec = find_rec(&keeper, REC_TASK, i)); i++) {
		parent = rec->hdr.pid == (__u32)t.pid ? rec : parent;
		same = rec->hdr.pid == (__u32)t.words->tids[1] ? rec : same;
		other = rec->hdr.pid == (__u32)t.words->tids[2] ? rec : other;
	}
	assert_true(parent && same && other);
	assert_int_equal(parent->mm_id, same->mm_id);
	assert_int_equal(parent->files_id, same->files_id);
	assert_true(parent->fs_id != same->fs_id);
	assert_true(parent->sighand_id != same->sighand_id);
	assert_true(parent->mm_id != other->mm_id);
	assert_true(parent->files_id != other->files_id);
	assert_int_equal(parent->sysvsem_id, 0);
	finish(&keeper, &tree);
	assert_int_equal(end(&t), 0);
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "file", "here (deleted)", "line\nand \\012" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unlink(in_folder(path, names[i]));
	return rmdir(folder());
}

static int make_folder(void **state)
{
	(void)state;
	return folder() == NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_carry_flags_position_and_inode),
		cmocka_unit_test(deleted_files_are_told_from_files_that_are_called_so),
		cmocka_unit_test(what_is_shared_has_one_number),
		cmocka_unit_test(mappings_carry_flags_files_and_whether_pages_are_theirs),
		cmocka_unit_test(a_task_has_its_attributes_limits_timers_and_paths),
		cmocka_unit_test(threads_differ_in_name_priority_and_cpus),
		cmocka_unit_test(inside_tells_actions_and_timers),
		cmocka_unit_test(inside_tells_switches_of_task_and_threads),
		cmocka_unit_test(inside_leaves_nothing_behind),
		cmocka_unit_test(inside_asks_many_at_once_and_mixes_none_up),
		cmocka_unit_test(inside_works_where_nothing_more_can_be_mapped),
		cmocka_unit_test(inside_works_where_no_code_may_be_added),
		cmocka_unit_test(inside_says_which_task_was_killed_and_frees_the_others),
		cmocka_unit_test(tasks_that_share_objects_name_the_same),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
