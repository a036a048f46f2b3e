// SPDX-License-Identifier: GPL-2.0-only
/*
 * One of each, see specimen.h. Nearly every call may fail: it is a test of what is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "collect/bpf/specimen.h"

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08 /* Linux 6.11 */
#endif
#ifndef SYS_mseal
#define SYS_mseal 462 /* Linux 6.10 */
#endif
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#ifndef SCHED_FLAG_RECLAIM
#define SCHED_FLAG_RECLAIM 0x02
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

enum { READY_MS = 20000, NOBODY = 65534, FAR_S = 100000 };

/* What its tasks share. */
struct specimen {
	int ready[2];  /* each task writes a byte when it has everything */
	int expected;  /* so many of them */
	pid_t sleeper; /* thread, 0: none */
	bool is_root;  /* and may trace others than itself */
};

static void is_ready(const struct specimen *s)
{
	if (write(s->ready[1], "", 1) != 1)
		_exit(1);
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

/* ---- Memory ---- */

static void *map(size_t pages, int prot, int flags, int fd, off_t offset)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mem = mmap(NULL, pages * page, prot, flags, fd, offset * (off_t)page);

	return mem == MAP_FAILED ? NULL : mem;
}

static void register_faults(void *mem, size_t page)
{
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .range = { (uintptr_t)mem, page },
					 .mode = UFFDIO_REGISTER_MODE_MISSING };

	if (fd < 0 || !mem || ioctl(fd, UFFDIO_API, &api) < 0)
		return;
	ioctl(fd, UFFDIO_REGISTER, &range);
}

static void make_anonymous(size_t page)
{
	static const int advices[] = { MADV_SEQUENTIAL, MADV_RANDOM,     MADV_DONTFORK,
				       MADV_DONTDUMP,   MADV_WIPEONFORK, MADV_HUGEPAGE,
				       MADV_NOHUGEPAGE, MADV_MERGEABLE };
	const int anon = MAP_PRIVATE | MAP_ANONYMOUS, rw = PROT_READ | PROT_WRITE;

	map(4, PROT_NONE, anon, -1, 0);
	map(4, rw, anon | MAP_NORESERVE, -1, 0);
	map(4, rw, anon | MAP_GROWSDOWN, -1, 0);
	map(4, rw, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	map(4, rw, MAP_DROPPABLE | MAP_ANONYMOUS, -1, 0);
	map(1, PROT_READ | PROT_WRITE | PROT_EXEC, anon, -1, 0);
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		char *mem = map(6 + i, rw, anon, -1, 0);

		if (!mem)
			continue;
		madvise(mem, 2 * page, advices[i]);
		mem[page] = 1;
	}
	void *locked = map(2, rw, anon, -1, 0);
	mlock(locked, page);
	void *later = map(3, rw, anon, -1, 0);
	mlock2(later, 2 * page, MLOCK_ONFAULT);
	void *named = map(5, rw, anon, -1, 0);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named, page, "one of each");
	void *sealed = map(1, PROT_READ, anon, -1, 0);
	syscall(SYS_mseal, sealed, page, 0);
	register_faults(map(2, rw, anon, -1, 0), page);
	sbrk((intptr_t)(3 * page));
}

/* @deleted and @memory have some pages. */
static void make_file_mappings(int deleted, int memory)
{
	const int rw = PROT_READ | PROT_WRITE;
	int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	map(2, PROT_READ, MAP_PRIVATE, exe, 1);
	map(1, rw, MAP_PRIVATE, exe, 0);
	map(2, rw, MAP_SHARED, deleted, 1);
	map(1, PROT_READ | PROT_EXEC, MAP_PRIVATE, deleted, 0);
	map(3, rw, MAP_SHARED, memory, 0);
	map(1, rw, MAP_SHARED, open("/dev/zero", O_RDWR | O_CLOEXEC), 0);
	close(exe);
}

/* ---- Descriptors ---- */

/* A file that never has a name; -1: none can be made anywhere. */
static int open_nameless(void)
{
	static const char *const dirs[] = { "/dev/shm", "/tmp", "/run", "/var/tmp", "." };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		int fd = open(dirs[i], O_TMPFILE | O_RDWR, 0640);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

static void make_anon_inodes(void)
{
	sigset_t set;
	int epoll = epoll_create1(EPOLL_CLOEXEC), event = eventfd(7, EFD_SEMAPHORE);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signalfd(-1, &set, SFD_NONBLOCK);
	timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	inotify_init1(IN_CLOEXEC);
	epoll_ctl(epoll, EPOLL_CTL_ADD, event, &(struct epoll_event){ .events = EPOLLIN });
	syscall(SYS_pidfd_open, getpid(), 0);
	syscall(SYS_memfd_secret, 0);
}

static void make_named(void)
{
	static const char *const names[] = {
		"/",
		"/proc/self/exe",
		"/proc/self/status",
		"/proc/self/ns/net",
		"/proc/self/ns/pid_for_children",
		"/dev/null",
		"/dev/full",
		"/dev/ptmx",
		"/sys/kernel",
		"/sys/fs/cgroup",
		"/etc/passwd",
		"/dev/mqueue",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		open(names[i], O_RDONLY | O_NOCTTY | (i % 2 ? O_CLOEXEC : 0));
	int file = open("/proc/self/exe", O_RDONLY | O_NONBLOCK);
	lseek(file, 12345, SEEK_SET);
	flock(file, LOCK_SH);
	fcntl(file, F_DUPFD_CLOEXEC, 200); /* a word of the bitmap further on */
	open("/proc/self/exe", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	open("/usr", O_RDONLY | O_DIRECTORY | O_NOATIME);
}

static void make_descriptors(void)
{
	int pipes[2], pair[2], deleted = open_nameless();
	int memory = memfd_create("one of each", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	off_t size = 4 * sysconf(_SC_PAGESIZE);

	if (pipe2(pipes, O_NONBLOCK) == 0)
		fcntl(pipes[1], F_SETFL, O_NONBLOCK | O_APPEND);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		pair[0] = -1;
	socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
	socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
	make_anon_inodes();
	make_named();
	if (ftruncate(deleted, size) == 0 && ftruncate(memory, size) == 0)
		make_file_mappings(deleted, memory);
}

/* ---- Signals and timers ---- */

static void on_signal(int signo)
{
}

static void make_actions(void)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };

	sigaddset(&action.sa_mask, SIGUSR2);
	sigaddset(&action.sa_mask, SIGRTMAX);
	sigaction(SIGUSR1, &action, NULL);
	action.sa_flags = SA_NODEFER | SA_RESETHAND | SA_SIGINFO;
	sigaction(SIGRTMAX, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static void make_timers(void)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME,           CLOCK_MONOTONIC,
					    CLOCK_BOOTTIME,           CLOCK_TAI,
					    CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	const struct itimerval far = { .it_value.tv_sec = FAR_S, .it_interval.tv_usec = 250000 };

	for (int i = 0; i < (int)ARRAY_SIZE(clocks); i++) {
		struct sigevent event = { .sigev_notify = i == 2 ? SIGEV_NONE : SIGEV_SIGNAL,
					  .sigev_signo = SIGRTMIN + i,
					  .sigev_value.sival_int = 0x12345 + i };
		struct itimerspec spec = { .it_value.tv_sec = FAR_S + i,
					   .it_interval.tv_nsec = 1000 * i };
		timer_t timer;

		if (timer_create(clocks[i], &event, &timer) == 0 && i != 1)
			timer_settime(timer, 0, &spec, NULL);
	}
	for (int which = ITIMER_REAL; which <= ITIMER_PROF; which++)
		setitimer(which, &far, NULL);
}

/* ---- Threads ---- */

static void *sleeper(void *arg)
{
	struct specimen *s = arg;
	static char stack[64 * 1024];
	cpu_set_t one;

	prctl(PR_SET_NAME, SPECIMEN_SLEEPER);
	prctl(PR_SET_TIMERSLACK, 123456);
	sigaltstack(&(stack_t){ .ss_sp = stack,
				.ss_size = sizeof(stack),
				.ss_flags = (int)SS_AUTODISARM },
		    NULL);
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ 0 });
	setpriority(PRIO_PROCESS, 0, 7);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	__atomic_store_n(&s->sleeper, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	is_ready(s);
	for (;;)
		nanosleep(&(struct timespec){ .tv_sec = SPECIMEN_SLEEP_S }, NULL);
	return NULL;
}

/* What is left of its sleep is to be seen. */
static void wait_for_sleeper(const struct specimen *s)
{
	char path[48], stat[128];

	if (!s->sleeper)
		return;
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", s->sleeper);
	for (;;) {
		_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t len = read(fd, stat, sizeof(stat) - 1);

		stat[len < 0 ? 0 : len] = '\0';
		if (len < 0 || strstr(stat, ") S "))
			return;
		usleep(100);
	}
}

static void *filtered(void *arg)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	prctl(PR_SET_NAME, "crib filtered");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK,
			   &(struct sched_param){ .sched_priority = 3 });
	is_ready(arg);
	wait_for_ever();
	return NULL;
}

/* All sets of capabilities become others; of those above 31, too. */
static void change_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (syscall(SYS_capget, &header, data) < 0)
		return;
	for (int i = 0; i < 2; i++) {
		data[i].inheritable = data[i].permitted & 0x33333333;
		data[i].effective &= ~data[i].permitted << 1 | 0x0f0f0f0f;
	}
	syscall(SYS_capset, &header, data);
	syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);
	syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_AUDIT_READ, 0, 0);
}

/* libc would change the credentials of all threads. */
static void *of_others(void *arg)
{
	const struct specimen *s = arg;
	gid_t groups[] = { 7, 100000, 5 };
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} deadline = { .size = 48,
		       .policy = SCHED_DEADLINE,
		       .flags = SCHED_FLAG_RECLAIM,
		       .runtime = 100000,
		       .deadline = 50000000,
		       .period = 100000000 };

	syscall(SYS_sched_setattr, 0, &deadline, 0);
	if (s->is_root) {
		syscall(SYS_setgroups, ARRAY_SIZE(groups), groups);
		syscall(SYS_prctl, PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NOROOT);
		syscall(SYS_prctl, PR_CAPBSET_DROP, 30); /* CAP_AUDIT_CONTROL */
		syscall(SYS_setresgid, 1, 2, 3);
		syscall(SYS_setresuid, 4, 0, 6);
		syscall(SYS_setfsuid, 9);
		syscall(SYS_setfsgid, 10);
		change_capabilities();
	}
	is_ready(arg);
	wait_for_ever();
	return NULL;
}

static void make_threads(struct specimen *s)
{
	static void *(*const mains[])(void *arg) = { sleeper, filtered, of_others };
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 * 1024);
	for (size_t i = 0; i < ARRAY_SIZE(mains); i++)
		if (pthread_create(&thread, &attr, mains[i], s) == 0)
			s->expected++;
}

/* ---- Processes ---- */

static void make_terminal(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int unlock = 0;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return;
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	ioctl(slave, TIOCSCTTY, 0);
}

/* Another user in another session, which sees less of the file system. */
static void other_user(const struct specimen *s)
{
	setsid();
	make_terminal();
	unshare(CLONE_NEWTIME);
	personality(ADDR_NO_RANDOMIZE);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	umask(0137);
	if (chdir("/dev") < 0 || (s->is_root && chroot("/dev") < 0))
		return;
	if (s->is_root && (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
			   setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return;
	prctl(PR_SET_DUMPABLE, 0);
}

/* In the group of its own, with its parent's table of descriptors and directories. */
static void sharer(const struct specimen *s)
{
	setpgid(0, 0);
	prctl(PR_SET_NAME, "sharer of crib");
}

static void die_by_signal(const struct specimen *s)
{
	signal(SIGTERM, SIG_DFL);
	raise(SIGTERM);
}

static void exit_soon(const struct specimen *s)
{
	_exit(3);
}

/* Not of the whole process: the code stands elsewhere. */
static void exit_thread(const struct specimen *s)
{
	syscall(SYS_exit, 4);
}

static pid_t make_process(struct specimen *s, uint64_t flags,
			  void (*become)(const struct specimen *s))
{
	pid_t parent = getpid();
	pid_t pid = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);

	if (pid)
		return pid;
	become(s);
	/* after a change of the user, which forgets it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent && !(flags & CLONE_NEWPID))
		_exit(1);
	is_ready(s);
	wait_for_ever();
	return 0;
}

static void make_processes(struct specimen *s)
{
	siginfo_t info;

	/* not all may make namespaces */
	s->expected += make_process(s, SIGCHLD | CLONE_NEWPID | CLONE_NEWUTS, other_user) > 0 ||
		       make_process(s, SIGCHLD, other_user) > 0;
	s->expected += make_process(s, CLONE_FILES | CLONE_FS | SIGUSR1, sharer) > 0;
	const pid_t dead[] = { make_process(s, SIGCHLD, die_by_signal),
			       make_process(s, SIGCHLD, exit_soon),
			       make_process(s, SIGCHLD, exit_thread) };
	for (size_t i = 0; i < ARRAY_SIZE(dead); i++)
		if (dead[i] > 0)
			waitid(P_PID, (id_t)dead[i], &info, WEXITED | WNOWAIT);
}

static void make_attributes(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_STACK, &limit) == 0) {
		limit.rlim_cur = 4 << 20;
		setrlimit(RLIMIT_STACK, &limit);
	}
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 4096, 8192 });
	umask(026);
	prctl(PR_SET_NAME, "crib specimen");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	syscall(SYS_membarrier, 1 << 4, 0, 0); /* MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED */
	syscall(SYS_membarrier, 1 << 2, 0, 0); /* MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED */
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "777", 3) == 3)
		close(fd);
}

static bool is_mighty(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	return geteuid() == 0 && syscall(SYS_capget, &header, data) == 0 &&
	       (data[0].effective & 1U << CAP_SYS_PTRACE);
}

/* As a new program would find them. */
static void reset_signals(void)
{
	sigset_t none;

	for (int signo = 1; signo < SIGRTMIN; signo++)
		signal(signo, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* The first process, with the caller's end of a pipe. */
static void run(int told, pid_t parent)
{
	struct specimen s = { .is_root = is_mighty() };
	char byte;

	reset_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	/* nothing of the caller's, which may change meanwhile, and 1 to 3 are the pipes */
	if (dup2(told, 1) < 0 || syscall(SYS_close_range, 2, ~0U, 0) < 0)
		_exit(1);
	close(0);
	if (open("/dev/null", O_RDWR) != 0 || pipe2(s.ready, 0) < 0)
		_exit(1);
	make_attributes();
	make_descriptors();
	make_processes(&s);
	make_anonymous((size_t)sysconf(_SC_PAGESIZE));
	make_actions();
	make_timers();
	make_threads(&s);
	while (s.expected--)
		if (read(s.ready[0], &byte, 1) != 1)
			_exit(1);
	wait_for_sleeper(&s);
	if (write(1, "", 1) != 1)
		_exit(1);
	wait_for_ever();
}

pid_t specimen_start(struct err *err)
{
	int told[2];
	char byte;

	if (pipe2(told, O_CLOEXEC) < 0)
		return err_sys(err, "pipe2");
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		run(told[1], parent);
	_cleanup_close_ int end = told[0];
	close(told[1]);
	if (pid < 0)
		return err_sys(err, "fork");
	struct pollfd poll_end = { .fd = end, .events = POLLIN };
	int n = poll(&poll_end, 1, READY_MS);
	if (n == 1 && read(end, &byte, 1) == 1)
		return pid;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return err_set(err, n == 0 ? -ETIMEDOUT : -ECHILD,
		       "the specimen of the self-test does not %s", n == 0 ? "get ready" : "live");
}
