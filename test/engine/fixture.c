// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that has what its arguments name, for comparing engines, and then waits:
 *
 *   fixture [WHAT[=COUNT]]...      files vmas threads processes copies descriptors mappings timers
 *                                  signals semaphores
 *
 * "copies" are children that have all that was made before. Prints "ready" when it has all of it.
 * Exit status 77: this machine has no room for that much.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 0x08
#endif

static char dir[512];
static char path[PATH_MAX];
static int semaphores = -1; /* a set, which outlives its processes */

static const char *in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fixture: %s: %s\n", what, strerror(errno));
	exit(errno == EAGAIN || errno == ENOMEM || errno == EMFILE || errno == ENFILE ? 77 : 2);
}

static int new_file(const char *name, int flags)
{
	int fd = open(in_dir(name), O_RDWR | O_CREAT | flags, 0640);

	must(fd >= 0, name);
	return fd;
}

static void *map(size_t pages, int prot, int flags, int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *mem = mmap(NULL, pages * page, prot, flags, fd, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* ---- What there can be ---- */

static void make_files(long n)
{
	for (long i = 0; i < n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "d%ld", i % 16);
		mkdir(in_dir(name), 0755);
		snprintf(name, sizeof(name), "d%ld/file-%ld", i % 16, i);
		int fd = new_file(name, i % 3 ? O_APPEND : O_CLOEXEC);
		must(lseek(fd, i, SEEK_SET) == i, "lseek");
	}
}

static void make_vmas(long n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *mem = map((size_t)n, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	must(mem, "mmap");
	for (long i = 0; i < n; i += 2)
		must(mprotect(mem + (size_t)i * page, page, PROT_READ | PROT_WRITE) == 0,
		     "mprotect");
}

static void *sleep_for_ever(void *arg)
{
	char name[16];

	snprintf(name, sizeof(name), "thread %ld", (long)arg);
	prctl(PR_SET_NAME, name);
	if ((long)arg % 3 == 0)
		prctl(PR_SET_TIMERSLACK, 100000 + (long)arg);
	if ((long)arg % 5 == 0)
		setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 5);
	for (;;)
		pause();
	return NULL;
}

static void make_threads(long n)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	for (long i = 0; i < n; i++) {
		pthread_t thread;

		errno = pthread_create(&thread, &attr, sleep_for_ever, (void *)i);
		must(errno == 0, "thread");
	}
}

/* They are all killed when the first one is gone. */
static void make_copies(long n)
{
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		must(pid >= 0, "fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			for (;;)
				pause();
		}
	}
}

static void make_processes(long n)
{
	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		must(pid >= 0, "fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (i % 4 == 1)
				setsid();
			if (i % 4 == 2)
				setpgid(0, 0);
			if (i % 64 == 63)
				_exit(3);
			for (;;)
				pause();
		}
	}
}

static void make_deleted(void)
{
	new_file("gone", 0);
	must(unlink(in_dir("gone")) == 0, "unlink");
	new_file("literal (deleted)", 0);
	new_file("linked", 0);
	char target[PATH_MAX];
	snprintf(target, sizeof(target), "%s", in_dir("linked"));
	must(link(target, in_dir("other name")) == 0, "link");
	must(unlink(target) == 0, "unlink");
	must(mkdir(in_dir("removed"), 0700) == 0, "mkdir");
	must(open(in_dir("removed"), O_RDONLY | O_DIRECTORY) >= 0, "open");
	must(rmdir(in_dir("removed")) == 0, "rmdir");
	int locked = new_file("locked", 0);
	must(flock(locked, LOCK_EX) == 0, "flock");
	must(dup(locked) >= 0, "dup");
	int once = new_file("once locked", 0);
	must(flock(once, LOCK_EX) == 0 && flock(once, LOCK_UN) == 0, "flock");
	open(dir, O_TMPFILE | O_RDWR, 0600);
}

static void make_sockets(void)
{
	int pair[2];

	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	socket(AF_NETLINK, SOCK_RAW, 0);
}

static void make_anon_inodes(void)
{
	sigset_t set;
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int event = eventfd(7, EFD_SEMAPHORE);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signalfd(-1, &set, 0);
	timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	inotify_init1(0);
	epoll_ctl(epoll, EPOLL_CTL_ADD, event, &(struct epoll_event){ .events = EPOLLIN });
	memfd_create("named memory", MFD_CLOEXEC);
	syscall(SYS_pidfd_open, getpid(), 0);
	syscall(SYS_memfd_secret, 0);
	syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
}

static void make_special_files(void)
{
	static const char *const names[] = {
		"/dev/null",
		"/dev/zero",
		"/dev/full",
		"/dev/urandom",
		"/dev/ptmx",
		"/",
		"/proc",
		"/proc/self/ns/net",
		"/proc/self/ns/mnt",
		"/proc/self/ns/pid_for_children",
		"/proc/self/ns/user",
		"/proc/self/status",
		"/proc/self/task",
		"/sys",
		"/dev/shm",
		"/sys/fs/cgroup",
		"/etc/passwd",
		"/dev/tty",
		"/dev/mqueue",
		"/usr/bin",
	};
	int pipes[2];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		open(names[i], O_RDONLY | (i % 2 ? O_CLOEXEC : 0) | O_NOCTTY);
	open("/etc/passwd", O_PATH);
	open("/proc/self/exe", O_PATH | O_NOFOLLOW);
	pipe2(pipes, O_NONBLOCK);
	mkfifo(in_dir("fifo"), 0600);
	open(in_dir("fifo"), O_RDWR);
	/* numbers far away, and what is shared */
	dup2(0, 777);
	dup3(pipes[0], 1000, O_CLOEXEC);
}

static void make_descriptors(long n)
{
	make_special_files();
	make_anon_inodes();
	make_sockets();
	make_deleted();
}

static void make_mappings(long n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = new_file("mapped", 0), gone = new_file("mapped and gone", 0);
	int memory = memfd_create("mapped memory", 0);
	const int anon = MAP_PRIVATE | MAP_ANONYMOUS, rw = PROT_READ | PROT_WRITE;

	must(ftruncate(fd, 65536) == 0 && ftruncate(gone, 65536) == 0, "ftruncate");
	must(memory < 0 || ftruncate(memory, 65536) == 0, "ftruncate");
	must(unlink(in_dir("mapped and gone")) == 0, "unlink");
	map(3, rw, MAP_SHARED, fd);
	map(2, PROT_READ, MAP_SHARED, fd);
	map(2, rw, MAP_PRIVATE, fd);
	map(2, rw, MAP_SHARED, gone);
	map(2, PROT_READ | PROT_EXEC, MAP_PRIVATE, gone);
	mmap(NULL, page, PROT_READ, MAP_PRIVATE, fd, (off_t)(4 * page));
	if (memory >= 0)
		map(4, rw, MAP_SHARED, memory);
	map(4, rw, MAP_SHARED | MAP_ANONYMOUS, -1);
	map(4, PROT_NONE, anon, -1);
	map(4, rw, anon | MAP_NORESERVE, -1);
	map(4, rw, anon | MAP_GROWSDOWN, -1);
	map(4, rw, anon | MAP_LOCKED, -1);
	map(4, rw, MAP_DROPPABLE | MAP_ANONYMOUS, -1);
	static const int advices[] = { MADV_SEQUENTIAL, MADV_RANDOM,     MADV_DONTFORK,
				       MADV_DONTDUMP,   MADV_WIPEONFORK, MADV_HUGEPAGE,
				       MADV_NOHUGEPAGE, MADV_MERGEABLE };
	for (size_t i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		char *mem = map(8 + i, rw, anon, -1);

		madvise(mem, 2 * page, advices[i]);
		mem[0] = 1;
	}
	char *named = map(5, rw, anon, -1);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named, page, "a name of its own");
	mlock2(map(7, rw, anon, -1), 3 * page, MLOCK_ONFAULT);
	char *sealed = map(1, PROT_READ, anon, -1);
	syscall(462 /* mseal */, sealed, page, 0);
	int id = shmget(IPC_PRIVATE, 8192, IPC_CREAT | 0600);
	if (id >= 0) {
		shmat(id, NULL, 0);
		shmctl(id, IPC_RMID, NULL);
	}
	brk((char *)sbrk(0) + 65536);
}

static void on_signal(int signo)
{
}

static void make_timers(long n)
{
	static const clockid_t clocks[] = { CLOCK_REALTIME,           CLOCK_MONOTONIC,
					    CLOCK_BOOTTIME,           CLOCK_TAI,
					    CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID };
	struct itimerval far = { .it_value.tv_sec = 5000, .it_interval.tv_usec = 250000 };

	signal(SIGRTMIN + 3, on_signal);
	for (size_t i = 0; i < sizeof(clocks) / sizeof(*clocks); i++) {
		struct sigevent event = { .sigev_notify = i % 3 == 2 ? SIGEV_NONE : SIGEV_SIGNAL,
					  .sigev_signo = SIGRTMIN + 3,
					  .sigev_value.sival_ptr = (void *)(0x1234567890 + i) };
		struct itimerspec spec = { .it_value.tv_sec = 1000 + (time_t)i,
					   .it_interval.tv_nsec = 1000 * (long)i };
		timer_t timer;

		if (timer_create(clocks[i], &event, &timer) < 0)
			continue;
		if (i != 1)
			timer_settime(timer, 0, &spec, NULL);
	}
	/* one for a thread, that fires all the time while its signal is blocked */
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 4 };
	struct itimerspec fast = { .it_value.tv_nsec = 1000000, .it_interval.tv_nsec = 1000000 };
	timer_t timer;
	sigset_t set;

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif
	event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 4);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
		timer_settime(timer, 0, &fast, NULL);
	setitimer(ITIMER_REAL, &far, NULL);
	setitimer(ITIMER_VIRTUAL, &far, NULL);
	setitimer(ITIMER_PROF, &far, NULL);
}

static void make_signals(long n)
{
	static char stack[65536];
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK };

	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL);
	sigaddset(&action.sa_mask, SIGUSR2);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGHUP);
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1);
	umask(037);
	syscall(SYS_membarrier, 1 << 4 /* MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED */, 0, 0);
	syscall(SYS_membarrier, 1 << 2 /* MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED */, 0, 0);
}

static void make_semaphores(long n)
{
	struct sembuf undo = { .sem_op = 1, .sem_flg = SEM_UNDO };

	semaphores = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
	must(semaphores >= 0 && semop(semaphores, &undo, 1) == 0, "semaphores");
}

static const struct {
	const char *name;
	void (*make)(long n);
} makers[] = {
	{ "files", make_files },       { "vmas", make_vmas },
	{ "threads", make_threads },   { "descriptors", make_descriptors },
	{ "mappings", make_mappings }, { "timers", make_timers },
	{ "signals", make_signals },   { "processes", make_processes },
	{ "copies", make_copies },     { "semaphores", make_semaphores },
};

static void make(char *arg)
{
	char *count = strchr(arg, '=');

	if (count)
		*count++ = '\0';
	for (size_t i = 0; i < sizeof(makers) / sizeof(*makers); i++) {
		if (!strcmp(arg, makers[i].name)) {
			makers[i].make(count ? atol(count) : 8);
			return;
		}
	}
	fprintf(stderr, "fixture: what is '%s'?\n", arg);
	exit(2);
}

/* Files stay as long as they are open, so that their names do not change. */
static void on_end(int signo)
{
	char command[PATH_MAX + 16];

	if (semaphores >= 0)
		semctl(semaphores, 0, IPC_RMID);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) < 0)
		_exit(1);
	_exit(0);
}

int main(int argc, char **argv)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	const char *tmp = getenv("TMPDIR");
	snprintf(dir, sizeof(dir), "%s/engine-fixture-XXXXXX", tmp ? tmp : "/tmp");
	must(mkdtemp(dir) != NULL, "mkdtemp");
	signal(SIGTERM, on_end);
	for (int i = 1; i < argc; i++)
		make(argv[i]);
	puts("ready");
	fflush(stdout);
	for (;;)
		poll(NULL, 0, 3600 * 1000);
}
