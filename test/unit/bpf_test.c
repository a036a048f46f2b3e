// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BPF engine: what it says of this process and its children is what the kernel says otherwise.
 */
#ifdef NO_BPF
int main(void)
{
	return 77;
}
#else

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "collect/bpf/engine.h"
#include "collect/bpf/pin.h"
#include "collect/bpf/rights.h"
#include "collect/bpf/selftest.h"
#include "collect/compare.h"
#include "collect/engine.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* ---- Collecting ---- */

struct collected {
	struct rec_sink sink;
	struct arena arena;
	ARRAY(const struct rec_hdr *) v;
};

static int keep(struct rec_sink *sink, const struct rec_hdr *rec, struct err *err)
{
	struct collected *all = container_of(sink, struct collected, sink);

	*array_push(&all->arena, &all->v) = arena_memdup(&all->arena, rec, rec->len);
	return 0;
}

static int try_collect(struct source *source, enum rec_group group, pid_t pid, int pidfd,
		       struct collected *ret, struct err *err)
{
	const pid_t tids[] = { pid };
	const struct collect_target target = {
		.pid = pid, .pidfd = pidfd, .tids = tids, .nr_tids = 1
	};

	*ret = (struct collected){ .sink.emit = keep };
	return source->ops->collect(source, group, &target, 1, &ret->sink, err);
}

/* Of a process with one thread. */
static void collect(struct source *source, enum rec_group group, pid_t pid, struct collected *ret)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct err err = ERR_INIT;

	assert_true(pidfd >= 0);
	if (try_collect(source, group, pid, pidfd, ret, &err) < 0)
		fail_msg("%s", err.text);
}

static const void *find(const struct collected *all, enum rec_type type)
{
	for (size_t i = 0; i < all->v.n; i++)
		if (all->v.v[i]->type == type)
			return all->v.v[i];
	fail_msg("no record of type %d", type);
	return NULL;
}

static const struct rec_fd *find_fd(const struct collected *all, int fd)
{
	for (size_t i = 0; i < all->v.n; i++) {
		const struct rec_fd *rec = (const void *)all->v.v[i];

		if (rec->hdr.type == REC_FD && rec->fd == (__u32)fd)
			return rec;
	}
	fail_msg("no descriptor %d", fd);
	return NULL;
}

static const struct rec_vma *find_vma(const struct collected *all, const void *addr)
{
	for (size_t i = 0; i < all->v.n; i++) {
		const struct rec_vma *rec = (const void *)all->v.v[i];

		if (rec->hdr.type == REC_VMA && rec->start <= (uintptr_t)addr &&
		    rec->end > (uintptr_t)addr)
			return rec;
	}
	fail_msg("no mapping at %p", addr);
	return NULL;
}

static struct source *load(size_t ring_size)
{
	struct err err = ERR_INIT;
	struct source *source = bpf_source_new_unpinned(ring_size, &err);

	if (!source)
		fail_msg("%s", err.text);
	return source;
}

/* A child that waits to be killed, after it did something. */
static pid_t start(void (*prepare)(void))
{
	int ready[2];
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prepare();
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---- Tests ---- */

static void descriptors_are_what_stat_says(void **state)
{
	struct source *source = *state;
	struct collected all;
	struct stat st;
	int pipes[2];

	assert_int_equal(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
	int file = open("/etc/passwd", O_RDONLY);
	int copy = dup(file);
	assert_int_equal(lseek(file, 7, SEEK_SET), 7);
	collect(source, RG_FD, getpid(), &all);

	const struct rec_fd *rec = find_fd(&all, file);
	assert_int_equal(fstat(file, &st), 0);
	assert_int_equal(rec->ino, st.st_ino);
	assert_int_equal(rec->mode, st.st_mode);
	assert_int_equal(rec->size, st.st_size);
	assert_int_equal(rec->pos, 7);
	assert_int_equal(rec->cloexec, 0);
	assert_int_equal(rec->path_len, strlen("/etc/passwd"));
	assert_memory_equal(rec->path, "/etc/passwd", rec->path_len);
	assert_int_equal(rec->ofd_id, find_fd(&all, copy)->ofd_id);

	rec = find_fd(&all, pipes[0]);
	assert_int_equal(rec->cloexec, 1);
	assert_int_equal(rec->flags, O_NONBLOCK);
	assert_memory_equal(rec->path, "pipe:[", 6);
	assert_true(rec->ofd_id != find_fd(&all, pipes[1])->ofd_id);
	close(file);
	close(copy);
	close(pipes[0]);
	close(pipes[1]);
	arena_fini(&all.arena);
}

static void ids_are_others_in_every_run(void **state)
{
	struct source *other = load(BPF_RING_SIZE);
	struct collected one, two;

	collect(*state, RG_FD, getpid(), &one);
	collect(other, RG_FD, getpid(), &two);
	uint64_t id = find_fd(&one, 2)->ofd_id, other_id = find_fd(&two, 2)->ofd_id;
	assert_true(id && other_id && id != other_id);
	/* all of the kernel's addresses begin so */
	assert_true(id >> 48 != 0xffff || other_id >> 48 != 0xffff);
	arena_fini(&one.arena);
	arena_fini(&two.arena);
	other->ops->free(other);
}

static void have_some_of_all(void)
{
	int pipes[2];

	timer_t timer;
	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	setitimer(ITIMER_REAL, &(struct itimerval){ .it_value.tv_sec = 5000 }, NULL);
	if (pipe(pipes) < 0 || open("/dev/ptmx", O_RDWR) < 0 || open("/proc", O_RDONLY) < 0)
		_exit(1);
	memfd_create("memory", 0);
	mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, sbrk(4096), 4096, "name");
}

/* Not that of an identity, which is anything, nor the vsyscall page, which is in no kernel's data. */
static bool is_kernel_address(uint64_t word)
{
	return word >= 0xffff800000000000 && word < 0xfffffffffffff000 &&
	       word - 0xffffffffff600000 > 4096;
}

static void forget_identities(struct rec_hdr *hdr)
{
	if (hdr->type == REC_FD) {
		((struct rec_fd *)hdr)->ofd_id = 0;
	} else if (hdr->type == REC_TASK) {
		struct rec_task *rec = (void *)hdr;

		assert_false(is_kernel_address(rec->mm_id) && is_kernel_address(rec->files_id) &&
			     is_kernel_address(rec->fs_id));
		rec->mm_id = rec->files_id = rec->fs_id = rec->sighand_id = rec->sysvsem_id = 0;
	}
}

static void no_address_of_the_kernel_is_told(void **state)
{
	pid_t pid = start(have_some_of_all);

	for (enum rec_group group = 0; group < RG_MAX; group++) {
		struct collected all;

		collect(*state, group, pid, &all);
		for (size_t i = 0; i < all.v.n; i++) {
			struct rec_hdr *hdr = (void *)all.v.v[i];

			forget_identities(hdr);
			for (size_t at = 0; at < hdr->len; at += sizeof(uint64_t)) {
				uint64_t word;

				memcpy(&word, (char *)hdr + at, sizeof(word));
				if (is_kernel_address(word))
					fail_msg("record of type %d: %#llx at %zu", hdr->type,
						 (unsigned long long)word, at);
			}
		}
		arena_fini(&all.arena);
	}
	stop(pid);
}

static void open_many(void)
{
	struct rlimit limit = { 10000, 10000 };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		_exit(1);
	for (int i = 0; i < 3000; i++)
		if (open("/dev/null", O_RDONLY) < 0)
			_exit(1);
	/* words of the bitmap that are empty */
	dup2(0, 9000);
}

static void a_small_ring_loses_no_descriptor(void **state)
{
	struct source *source = load(64 * 1024);
	struct collected all;
	pid_t pid = start(open_many);
	size_t n = 0;

	collect(source, RG_FD, pid, &all);
	assert_true(all.v.n > 3000);
	for (size_t i = 0; i < all.v.n; i++) {
		const struct rec_fd *rec = (const void *)all.v.v[i];

		assert_true(rec->fd >= i); /* they ascend */
		n += rec->path_len == 9 && !memcmp(rec->path, "/dev/null", 9);
	}
	assert_true(n >= 3000);
	assert_int_equal(find_fd(&all, 9000)->fd, 9000);
	stop(pid);
	arena_fini(&all.arena);
	source->ops->free(source);
}

enum { MANY_PAGES = 20000 };

static void map_many(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *mem = mmap(NULL, MANY_PAGES * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < MANY_PAGES; i += 2)
		if (mprotect(mem + i * page, page, PROT_READ) < 0)
			_exit(1);
}

static void a_small_ring_loses_no_mapping(void **state)
{
	struct source *source = load(64 * 1024);
	struct collected all;
	pid_t pid = start(map_many);
	size_t vmas = 0, vsyscalls = 0;

	collect(source, RG_MM, pid, &all);
	for (size_t i = 0; i < all.v.n; i++) {
		vmas += all.v.v[i]->type == REC_VMA;
		vsyscalls += all.v.v[i]->type == REC_VMA &&
			     ((const struct rec_vma *)(const void *)all.v.v[i])->special ==
				     REC_VMA_VSYSCALL;
	}
	const struct rec_mm *mm = find(&all, REC_MM);
	assert_true(vmas > MANY_PAGES);
	assert_int_equal(vmas - vsyscalls, mm->map_count);
	stop(pid);
	arena_fini(&all.arena);
	source->ops->free(source);
}

enum { MANY_GROUPS = 5000 };

static void join_groups(void)
{
	static gid_t gids[MANY_GROUPS];

	for (gid_t i = 0; i < MANY_GROUPS; i++)
		gids[i] = 3 * i;
	if (setgroups(MANY_GROUPS, gids) < 0)
		_exit(1);
}

static void many_groups_come_in_pieces(void **state)
{
	pid_t pid = start(join_groups);
	struct collected all;

	collect(*state, RG_THREAD, pid, &all);
	const struct rec_thread *rec = find(&all, REC_THREAD);
	assert_int_equal(rec->nr_groups, MANY_GROUPS);
	assert_int_equal(
		rec->hdr.len,
		ALIGN_UP(sizeof(*rec) + 4ULL * (rec->nr_cpu_words + rec->nr_groups), 8ULL));
	for (uint32_t i = 0; i < MANY_GROUPS; i++)
		assert_int_equal(rec->tail[rec->nr_cpu_words + i], 3 * i);
	stop(pid);
	arena_fini(&all.arena);
}

static void on_signal(int signo)
{
}

static void what_only_this_engine_sees(void **state)
{
	static char stack[32768];
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	struct collected all;

	sigaddset(&action.sa_mask, SIGUSR2);
	assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
	assert_int_equal(sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL),
			 0);
	collect(*state, RG_TASK, getpid(), &all);
	const struct rec_sigactions *actions = find(&all, REC_SIGACTIONS);
	assert_int_equal(actions->action[SIGUSR1 - 1].handler, (uintptr_t)on_signal);
	assert_int_equal(actions->action[SIGUSR1 - 1].flags & ~0x04000000u, SA_RESTART);
	assert_int_equal(actions->action[SIGUSR1 - 1].mask, 1ULL << (SIGUSR2 - 1));
	const struct rec_task *task = find(&all, REC_TASK);
	assert_int_equal(task->ppid, getppid());
	assert_int_equal(task->state, 'R');
	assert_int_equal(task->dumpable, prctl(PR_GET_DUMPABLE));
	arena_fini(&all.arena);

	collect(*state, RG_THREAD, getpid(), &all);
	const struct rec_thread *thread = find(&all, REC_THREAD);
	assert_int_equal(thread->sas_sp, (uintptr_t)stack);
	assert_int_equal(thread->sas_size, sizeof(stack));
	assert_int_equal(thread->sas_flags, 0);
	assert_int_equal(thread->securebits, prctl(PR_GET_SECUREBITS));
	arena_fini(&all.arena);
	sigaltstack(&(stack_t){ .ss_flags = SS_DISABLE }, NULL);
	sigaction(SIGUSR1, &old, NULL);
}

static void the_thp_switch_is_seen(void **state)
{
	struct collected all;

	for (int on = 1; on >= 0; on--) {
		assert_int_equal(prctl(PR_SET_THP_DISABLE, on, 0, 0, 0), 0);
		collect(*state, RG_TASK, getpid(), &all);
		const struct rec_task *task = find(&all, REC_TASK);
		assert_true(task->hdr.valid & RV_TASK_THP);
		assert_int_equal(task->thp_disabled, on);
		arena_fini(&all.arena);
	}
}

static void sleep_long(void)
{
	/* interrupted and restarted, it stands in the restart block */
	raise(SIGSTOP);
	poll(NULL, 0, 100000);
}

static void the_rest_of_an_interrupted_sleep_is_known(void **state)
{
	pid_t pid = fork();
	struct collected all;

	if (pid == 0) {
		sleep_long();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	kill(pid, SIGCONT);
	usleep(50000);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	collect(*state, RG_THREAD, pid, &all);
	const struct rec_thread *thread = find(&all, REC_THREAD);
	assert_true(thread->hdr.valid & RV_THREAD_RESTART);
	assert_in_range(thread->restart_remaining_ns, 90000000000, 100000000000);
	stop(pid);
	arena_fini(&all.arena);
}

/* Flags whose bits moved from kernel to kernel. */
static void flags_above_the_low_word_are_learned(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct collected all;

	void *droppable = mmap(NULL, page, PROT_READ, 0x08 | MAP_ANONYMOUS, -1, 0);
	void *sealed = mmap(NULL, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool has_mseal = syscall(462, sealed, page, 0) == 0;
	int memfd = memfd_create("minor", MFD_CLOEXEC);
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM };
	assert_int_equal(ftruncate(memfd, (off_t)page), 0);
	void *minor = mmap(NULL, page, PROT_READ, MAP_SHARED, memfd, 0);
	struct uffdio_register range = { .range = { (uintptr_t)minor, page },
					 .mode = UFFDIO_REGISTER_MODE_MINOR };
	bool has_minor = uffd >= 0 && ioctl(uffd, UFFDIO_API, &api) == 0 &&
			 ioctl(uffd, UFFDIO_REGISTER, &range) == 0;

	collect(*state, RG_MM, getpid(), &all);
	if (droppable != MAP_FAILED) {
		assert_true(find_vma(&all, droppable)->flags & REC_VMF(DROPPABLE));
		munmap(droppable, page);
	}
	if (has_mseal)
		assert_true(find_vma(&all, sealed)->flags & REC_VMF(SEALED));
	if (has_minor)
		assert_true(find_vma(&all, minor)->flags & REC_VMF(UFFD_MINOR));
	assert_false(find_vma(&all, &page)->flags &
		     (REC_VMF(SEALED) | REC_VMF(DROPPABLE) | REC_VMF(UFFD_MINOR)));
	close(uffd);
	close(memfd);
	arena_fini(&all.arena);
}

static void only_a_pidfd_of_that_process_opens_it(void **state)
{
	_cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	_cleanup_close_ int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	const struct {
		pid_t pid;
		int pidfd;
	} wrong[] = {
		{ getppid(), pidfd }, { getpid(), file }, { getpid(), -1 }, { getpid(), 123456 }
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct err err = ERR_INIT;
		struct collected all;

		assert_int_equal(
			try_collect(*state, RG_FD, wrong[i].pid, wrong[i].pidfd, &all, &err),
			-EBADF);
		assert_int_equal(all.v.n, 0);
	}
}

/* ---- Type information from elsewhere ---- */

/* The kernel's own with the first field of @type moved, which a program of crib's reads. */
static void write_moved(int fd, const char *type)
{
	struct btf *btf = btf__parse_raw("/sys/kernel/btf/vmlinux");
	__u32 size;

	assert_int_equal(libbpf_get_error(btf), 0);
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	assert_true(id > 0);
	struct btf_type *moved = (struct btf_type *)btf__type_by_id(btf, (__u32)id);
	for (int i = 0; i < btf_vlen(moved); i++)
		btf_members(moved)[i].offset += 64;
	const void *data = btf__raw_data(btf, &size);
	assert_int_equal(io_write(fd, data, size), 0);
	btf__free(btf);
}

static void expect_refused(const char *file, const char *words)
{
	const struct bpf_setup setup = { .btf = file, .no_pin = true };
	struct err err = ERR_INIT;
	struct source *source = bpf_source_new(&setup, &err);

	if (source)
		source->ops->free(source);
	assert_null(source);
	assert_true(err.code < 0);
	if (!strstr(err.text, words) || !strstr(err.text, file))
		fail_msg("'%s' does not say '%s'", err.text, words);
}

static void wrong_files_of_type_information_are_refused(void **state)
{
	static const char *const moved[] = { "pid", "task_struct", "signal_struct", "file" };

	expect_refused("/etc/passwd", "no type information");
	expect_refused("/dev/null", "no type information");
	expect_refused("/nonexistent", "No such file");
	for (size_t i = 0; i < ARRAY_SIZE(moved); i++) {
		_cleanup_close_ int fd = memfd_create("moved", MFD_CLOEXEC);
		char path[32];

		write_moved(fd, moved[i]);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		expect_refused(path, "not of this kernel");
	}
}

static void the_engine_works_with_a_file_of_type_information(void **state)
{
	const struct bpf_setup setup = { .btf = "/sys/kernel/btf/vmlinux" };
	struct err err = ERR_INIT;
	struct source *source = bpf_source_new(&setup, &err);
	struct collected all;

	if (!source)
		fail_msg("%s", err.text);
	collect(source, RG_TASK, getpid(), &all);
	assert_int_equal(((const struct rec_task *)find(&all, REC_TASK))->ppid, getppid());
	arena_fini(&all.arena);
	source->ops->free(source);
}

/* ---- Pins, in a mount namespace of their own ---- */

/* With a bpffs that holds none of the machine's pins. */
static void in_own_mounts(void (*work)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("bpf", "/sys/fs/bpf", "bpf", 0, "mode=0700") < 0)
			_exit(77);
		work();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			fprintf(stderr, "line %d: %s: %s\n", __LINE__, #what, err.text);           \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void count(const struct bpf_pin_status *status, void *ctx)
{
	const struct err err = ERR_INIT;

	CHECK(status->ours);
	++((int *)ctx)[status->in_use];
}

/* All is true but what is said of descriptors. */
static struct verdict a_verdict(void)
{
	struct verdict verdict = { 0 };

	memset(verdict.state, VERDICT_TRUE, sizeof(verdict.state));
	verdict.state[0] = VERDICT_UNTRIED;
	verdict.state[REC_FD] = VERDICT_DIFFERS;
	snprintf(verdict.first[REC_FD], sizeof(verdict.first[REC_FD]), "fd 3: size");
	return verdict;
}

static void use_pins(void)
{
	struct err err = ERR_INIT;
	struct bpf_programs one, two, three;
	struct verdict verdict = a_verdict(), found;
	int free_and_used[2] = { 0, 0 };

	if (bpf_pin_mount(&err) < 0)
		_exit(77);
	CHECK(bpf_pin_open(&one, &found, &err) == -ENOENT);
	CHECK(bpf_programs_load(&one, BPF_RING_SIZE, NULL, &err) == 0);
	verdict.tag = one.tag;
	CHECK(bpf_pin_make(&one, &verdict, &err) == 0);
	/* it is in use, by whoever made it */
	CHECK(bpf_pin_open(&two, &found, &err) == -ENOENT);
	CHECK(bpf_programs_load(&two, BPF_RING_SIZE, NULL, &err) == 0);
	CHECK(two.tag == one.tag);
	CHECK(bpf_pin_make(&two, &verdict, &err) == 0);
	CHECK(bpf_pin_each(count, free_and_used, &err) == 0);
	CHECK(free_and_used[0] == 0 && free_and_used[1] == 2);
	CHECK(bpf_pin_remove_all(&err) == 2);
	bpf_programs_close(&one);
	CHECK(bpf_pin_open(&three, &found, &err) == 0);
	CHECK(!memcmp(&found, &verdict, sizeof(found)));
	bpf_programs_close(&two);
	CHECK(bpf_pin_remove_all(&err) == 1);
	bpf_programs_close(&three);
	CHECK(bpf_pin_remove_all(&err) == 0);
	CHECK(access(BPF_PIN_DIR, F_OK) < 0);
}

static void pins_serve_one_at_a_time(void **state)
{
	in_own_mounts(use_pins);
}

static void meet_other_programs(void)
{
	struct err err = ERR_INIT;
	struct bpf_programs programs;
	struct verdict verdict = a_verdict(), found;

	if (bpf_pin_mount(&err) < 0)
		_exit(77);
	CHECK(bpf_programs_load(&programs, BPF_RING_SIZE, NULL, &err) == 0);
	verdict.tag = programs.tag + 1; /* it was others that were tested */
	CHECK(bpf_pin_make(&programs, &verdict, &err) == 0);
	bpf_programs_close(&programs);
	CHECK(bpf_pin_open(&programs, &found, &err) == -EBADMSG);
	CHECK(strstr(err.text, "crib bpf unpin"));
	CHECK(bpf_pin_remove_all(&err) == 0);
}

static void pins_are_what_was_tested(void **state)
{
	in_own_mounts(meet_other_programs);
}

static void meet_foreign_pins(void)
{
	struct err err = ERR_INIT;
	struct bpf_programs programs;
	struct verdict found;

	if (bpf_pin_mount(&err) < 0)
		_exit(77);
	CHECK(mkdir(BPF_PIN_DIR, 0755) == 0);
	CHECK(bpf_pin_open(&programs, &found, &err) == -EPERM);
	CHECK(strstr(err.text, "not root's alone"));
	CHECK(rmdir(BPF_PIN_DIR) == 0 && mkdir(BPF_PIN_DIR, 0700) == 0);
	CHECK(chown(BPF_PIN_DIR, 1000, 1000) == 0);
	CHECK(bpf_pin_open(&programs, &found, &err) == -EPERM);
}

static void hide_types(void)
{
	const char *hidden = "/sys/kernel/btf/vmlinux";
	struct err err = ERR_INIT;
	uint8_t choice[RG_MAX] = { ENGINE_AUTO };
	struct engines engines;

	if (mount("/dev/null", hidden, NULL, MS_BIND, NULL) < 0)
		_exit(77);
	CHECK(!bpf_source_new(&(struct bpf_setup){ 0 }, &err));
	CHECK(err.code == -ENOTSUP && strstr(err.text, "--btf"));
	err = ERR_INIT;
	CHECK(engines_open(&engines, choice, &(struct bpf_setup){ 0 }, &err) == 0);
	CHECK(engines.fell_back && !engines.bpf && engines.reason.code == -ENOTSUP);
	engines_close(&engines);
}

static void a_kernel_without_type_information_is_left_to_proc(void **state)
{
	in_own_mounts(hide_types);
}

static void pins_of_others_are_not_trusted(void **state)
{
	in_own_mounts(meet_foreign_pins);
}

/* ---- Rights ---- */

static void missing_rights_are_named_one_by_one(void **state)
{
	const char *initial = "         0          0 4294967295\n";
	const uint64_t bpf = 1ULL << 39, perfmon = 1ULL << 38, admin = 1ULL << 21;
	const struct {
		uint64_t capabilities;
		const char *lockdown, *uid_map, *words;
	} cases[] = {
		{ 0, "", initial, "need CAP_BPF and CAP_PERFMON, which" },
		{ bpf, "", initial, "need CAP_PERFMON, which" },
		{ perfmon, "", initial, "need CAP_BPF, which" },
		{ ~0ULL & ~(bpf | perfmon | admin), "", initial, "CAP_BPF and CAP_PERFMON, which" },
		{ admin, "none integrity [confidentiality]\n", initial, "locked down" },
		{ bpf | perfmon, "", "         0       1000          1\n", "user namespace" },
		{ bpf | perfmon, "none [integrity] confidentiality\n", initial, NULL },
		{ admin, "", initial, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err err = ERR_INIT;
		int ret = bpf_rights_missing_in(cases[i].capabilities, cases[i].lockdown,
						cases[i].uid_map, &err);

		assert_int_equal(ret, cases[i].words ? -EPERM : 0);
		if (cases[i].words && !strstr(err.text, cases[i].words))
			fail_msg("'%s' does not say '%s'", err.text, cases[i].words);
	}
}

/* ---- The self-test ---- */

static void verdicts_survive_as_text(void **state)
{
	struct verdict verdict = a_verdict(), found;
	_cleanup_strbuf_ struct strbuf text = { 0 }, what = { 0 };

	verdict.tag = 0x123456789abcdef0;
	verdict.types = 5;
	verdict_print(&verdict, &text);
	assert_true(verdict_parse(strbuf_str(&text), &found));
	assert_memory_equal(&found, &verdict, sizeof(found));
	assert_true(verdict_is_complete(&found));
	assert_true(verdict_group_differs(&found, RG_FD));
	assert_false(verdict_group_differs(&found, RG_TASK));
	verdict_describe(&found, RG_MAX, &what);
	assert_string_equal(strbuf_str(&what), "fd (fd 3: size)");

	found.state[REC_MM] = VERDICT_UNTRIED;
	assert_false(verdict_is_complete(&found));
	strbuf_puts(&text, "x");
	assert_false(verdict_parse(strbuf_str(&text), &found));
	for (size_t len = 0; len < text.len - 1; len++) {
		text.data[text.len - 2 - len] = '\0';
		assert_false(verdict_parse(strbuf_str(&text), &found));
	}
}

static void the_self_test_finds_all_types_of_records(void **state)
{
	struct verdict verdict = { 0 };
	_cleanup_strbuf_ struct strbuf what = { 0 };
	struct err err = ERR_INIT;

	if (bpf_selftest(*state, &verdict, &err) < 0)
		fail_msg("%s", err.text);
	verdict_describe(&verdict, RG_MAX, &what);
	assert_string_equal(strbuf_str(&what), "");
	assert_true(verdict_is_complete(&verdict));
	/* nothing of the specimen is left */
	assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
}

static void records_that_differ_come_from_proc(void **state)
{
	const struct bpf_setup setup = { .no_pin = true };
	const uint8_t choice[RG_MAX] = { ENGINE_BPF, ENGINE_AUTO, ENGINE_BPF, ENGINE_BPF };

	for (int type = 1; type < REC_TYPE_MAX; type++) {
		const char *name = rec_type_name((enum rec_type)type);
		enum rec_group group = rec_type_group((enum rec_type)type);
		_cleanup_strbuf_ struct strbuf what = { 0 };
		struct err err = ERR_INIT;
		struct engines engines;

		setenv("CRIB_FAIL_SELFTEST", name, 1);
		if (engines_open(&engines, choice, &setup, &err) < 0)
			fail_msg("%s", err.text);
		unsetenv("CRIB_FAIL_SELFTEST");
		assert_true(engines_describe_differing(&engines, &what));
		for (enum rec_group other = 0; other < RG_MAX; other++)
			if (engines_use_bpf(&engines, other) != (other != group))
				fail_msg("%s", strbuf_str(&what));
		assert_non_null(strstr(strbuf_str(&what), name));
		engines_close(&engines);
	}
}

static void states_have_the_letters_of_proc(void **state)
{
	assert_int_equal(bpf_state_letter(0, 0), 'R');
	assert_int_equal(bpf_state_letter(1, 0), 'S');
	assert_int_equal(bpf_state_letter(2, 0), 'D');
	assert_int_equal(bpf_state_letter(0x402, 0), 'I');
	assert_int_equal(bpf_state_letter(0x104, 0), 'T');
	assert_int_equal(bpf_state_letter(8, 0), 't');
	assert_int_equal(bpf_state_letter(0x80, 0x10), 'X');
	assert_int_equal(bpf_state_letter(0x80, 0x20), 'Z');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_are_what_stat_says),
		cmocka_unit_test(ids_are_others_in_every_run),
		cmocka_unit_test(no_address_of_the_kernel_is_told),
		cmocka_unit_test(a_small_ring_loses_no_descriptor),
		cmocka_unit_test(a_small_ring_loses_no_mapping),
		cmocka_unit_test(many_groups_come_in_pieces),
		cmocka_unit_test(what_only_this_engine_sees),
		cmocka_unit_test(the_thp_switch_is_seen),
		cmocka_unit_test(the_rest_of_an_interrupted_sleep_is_known),
		cmocka_unit_test(flags_above_the_low_word_are_learned),
		cmocka_unit_test(only_a_pidfd_of_that_process_opens_it),
		cmocka_unit_test(pins_serve_one_at_a_time),
		cmocka_unit_test(pins_are_what_was_tested),
		cmocka_unit_test(pins_of_others_are_not_trusted),
		cmocka_unit_test(missing_rights_are_named_one_by_one),
		cmocka_unit_test(verdicts_survive_as_text),
		cmocka_unit_test(the_self_test_finds_all_types_of_records),
		cmocka_unit_test(records_that_differ_come_from_proc),
		cmocka_unit_test(wrong_files_of_type_information_are_refused),
		cmocka_unit_test(the_engine_works_with_a_file_of_type_information),
		cmocka_unit_test(a_kernel_without_type_information_is_left_to_proc),
		cmocka_unit_test(states_have_the_letters_of_proc),
	};
	struct err err = ERR_INIT;
	struct source *source = bpf_source_new_unpinned(BPF_RING_SIZE, &err);

	if (!source) {
		fprintf(stderr, "%s\n", err.text);
		return 77;
	}
	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		((struct CMUnitTest *)tests)[i].initial_state = source;
	int ret = cmocka_run_group_tests(tests, NULL, NULL);
	source->ops->free(source);
	return ret;
}

#endif /* NO_BPF */
