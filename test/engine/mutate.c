// SPDX-License-Identifier: GPL-2.0-only
/*
 * Six processes that change everything they can of themselves, as fast as they can, for what reads
 * them meanwhile:
 *
 *   mutate FOLDER
 *
 * Prints "ready", and works in the folder until it is killed. What it makes has names that are
 * known: threads and processes begin with "mut", files with "m".
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MUTATORS = 6,
	MAPS = 64,
	TIMERS = 8,
	FIRST_FD = 3,
	LAST_FD = 300,
	MAX_THREADS = 12,
	STACK = 64 * 1024,
};

static uint64_t seed;
static size_t page;
static char folder[PATH_MAX], below[PATH_MAX + 8];
static struct {
	char *mem;
	size_t len;
} maps[MAPS];
static timer_t timers[TIMERS];
static int has_timer[TIMERS];
static int nr_threads;

/* xorshift: each process has numbers of its own. */
static unsigned int draw(unsigned int n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 33) % n;
}

static void on_signal(int signo)
{
}

/* ---- Memory ---- */

static void change_maps(void)
{
	unsigned int i = draw(MAPS), pages = 1 + draw(32);
	int fd;

	if (maps[i].mem) {
		munmap(maps[i].mem, maps[i].len);
		maps[i].mem = NULL;
		return;
	}
	switch (draw(3)) {
	case 0:
		fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		maps[i].mem = mmap(NULL, pages * page, PROT_READ, MAP_PRIVATE, fd, 0);
		close(fd);
		break;
	case 1:
		maps[i].mem = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		break;
	default:
		maps[i].mem = mmap(NULL, pages * page, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	}
	if (maps[i].mem == MAP_FAILED)
		maps[i].mem = NULL;
	maps[i].len = pages * page;
}

static void change_one_map(void)
{
	unsigned int i = draw(MAPS);
	size_t half = maps[i].len / 2 / page * page;

	if (!maps[i].mem || !half)
		return;
	switch (draw(5)) {
	case 0: mprotect(maps[i].mem, half, draw(2) ? PROT_READ : PROT_NONE); break;
	case 1: madvise(maps[i].mem, half, draw(2) ? MADV_DONTFORK : MADV_DOFORK); break;
	case 2: prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, maps[i].mem, half, "mutated"); break;
	case 3: munmap(maps[i].mem + half, maps[i].len - half), maps[i].len = half; break;
	default:
		maps[i].mem = mremap(maps[i].mem, maps[i].len, maps[i].len + page, MREMAP_MAYMOVE);
		if (maps[i].mem == MAP_FAILED)
			maps[i].mem = NULL;
		maps[i].len += page;
	}
}

/* It is malloc()'s, too, and put back. */
static void change_heap(void)
{
	char *end = sbrk(0);

	brk(end + draw(64) * page);
	brk(end);
}

/* ---- Descriptors ---- */

static int random_fd(void)
{
	return FIRST_FD + (int)draw(LAST_FD - FIRST_FD);
}

static void open_something(void)
{
	char name[32];
	int fds[2];

	snprintf(name, sizeof(name), "m%u", draw(40));
	switch (draw(7)) {
	case 0: open("/dev/null", O_RDWR | O_CLOEXEC); break;
	case 1: (void)!pipe2(fds, O_NONBLOCK); break;
	case 2: eventfd(draw(100), 0); break;
	case 3: timerfd_create(CLOCK_MONOTONIC, 0); break;
	case 4: open(".", O_RDONLY | O_DIRECTORY); break;
	case 5: memfd_create("mutated", 0); break;
	default: open(name, O_RDWR | O_CREAT | (draw(2) ? O_APPEND : 0), 0666);
	}
}

static void change_fds(void)
{
	char from[32], to[32];

	snprintf(from, sizeof(from), "m%u", draw(40));
	snprintf(to, sizeof(to), "m%u", draw(40));
	switch (draw(10)) {
	case 0: dup2(random_fd(), random_fd()); break;
	case 1: fcntl(random_fd(), F_SETFD, draw(2) ? FD_CLOEXEC : 0); break;
	case 2: fcntl(random_fd(), F_SETFL, draw(2) ? O_NONBLOCK : 0); break;
	case 3: lseek(random_fd(), draw(10000), SEEK_SET); break;
	case 4: unlink(from); break;
	case 5: rename(from, to); break;
	case 6: syscall(SYS_close_range, LAST_FD - draw(100), ~0U, 0); break;
	case 7: flock(random_fd(), draw(2) ? LOCK_SH | LOCK_NB : LOCK_UN); break;
	case 8: (void)!ftruncate(random_fd(), draw(100000)); break;
	default: close(random_fd());
	}
}

/* ---- Threads and processes ---- */

static void *short_life(void *arg)
{
	struct timespec ts = { .tv_nsec = (long)(uintptr_t)arg };

	prctl(PR_SET_NAME, "mut thread");
	nanosleep(&ts, NULL);
	__atomic_sub_fetch(&nr_threads, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void change_threads(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (__atomic_load_n(&nr_threads, __ATOMIC_RELAXED) >= MAX_THREADS)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	__atomic_add_fetch(&nr_threads, 1, __ATOMIC_RELAXED);
	uintptr_t ns = draw(20000000);
	if (pthread_create(&thread, &attr, short_life, (void *)ns))
		__atomic_sub_fetch(&nr_threads, 1, __ATOMIC_RELAXED);
	pthread_attr_destroy(&attr);
}

static void change_children(void)
{
	static int children;

	if (draw(2) || children > 4) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			children--;
		return;
	}
	pid_t pid = fork();
	if (pid > 0)
		children++;
	if (pid != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (draw(2))
		setsid();
	usleep(draw(20000));
	if (draw(3) == 0) /* another program, for a moment */
		execl("/proc/self/exe", "mutate", (char *)NULL);
	_exit((int)draw(256));
}

/* ---- The rest ---- */

static void change_names(void)
{
	static const gid_t groups[] = { 5, 6, 7, 8, 9, 10, 11, 12 };
	char name[16];

	switch (draw(8)) {
	case 0:
		snprintf(name, sizeof(name), "mut %u", draw(100000));
		prctl(PR_SET_NAME, name);
		break;
	case 1: syscall(SYS_setgroups, (size_t)draw(8), groups); break;
	case 2: syscall(SYS_setresuid, -1, draw(2) ? 0 : 1000 + draw(1000), -1); break;
	case 3: syscall(SYS_setresgid, -1, draw(2) ? 0 : 1000 + draw(1000), -1); break;
	case 4: umask(draw(0100)); break;
	case 5: (void)!chdir(draw(2) ? folder : below); break;
	case 6: setpriority(PRIO_PROCESS, 0, (int)draw(10)); break;
	default: prctl(PR_SET_TIMERSLACK, 50000 + draw(1000)); break;
	}
}

static void change_signals(void)
{
	static char stack[STACK];
	struct sigaction action = { .sa_handler = draw(2) ? on_signal : SIG_IGN };
	int signo = SIGRTMIN + (int)draw(20);
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signo);
	switch (draw(4)) {
	case 0: sigaction(signo, &action, NULL); break;
	case 1: sigprocmask(draw(2) ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL); break;
	case 2:
		sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = STACK - draw(100) }, NULL);
		break;
	default: sigaction(signo, &action, NULL); kill(getpid(), signo);
	}
}

static void change_timers(void)
{
	struct itimerval far = { .it_value.tv_sec = 1000 + draw(1000) };
	struct itimerspec spec = { .it_value.tv_sec = 1000 + draw(1000) };
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	unsigned int i = draw(TIMERS);

	if (!has_timer[i])
		has_timer[i] = !timer_create(CLOCK_MONOTONIC, &event, &timers[i]);
	else if (draw(2))
		timer_settime(timers[i], 0, &spec, NULL);
	else
		has_timer[i] = timer_delete(timers[i]) != 0;
	if (draw(4) == 0)
		setitimer(ITIMER_REAL, &far, NULL);
}

static void mutate(unsigned int number)
{
	static void (*const changes[])(void) = {
		change_maps,     change_maps,    change_one_map, change_heap,  open_something,
		open_something,  change_fds,     change_fds,     change_names, change_threads,
		change_children, change_signals, change_timers,
	};

	seed = 0x9e3779b97f4a7c15ULL * (number + 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "mut");
	for (;;)
		changes[draw(sizeof(changes) / sizeof(*changes))]();
}

int main(int argc, char **argv)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	if (argc < 2) /* started by a child: one that waits a moment */
		return usleep(5000);
	for (int signo = SIGRTMIN; signo <= SIGRTMAX; signo++)
		signal(signo, on_signal);
	signal(SIGALRM, on_signal);
	umask(0);
	if (!realpath(argv[1], folder) || chdir(folder)) {
		fprintf(stderr, "mutate: %s: %s\n", argv[1], strerror(errno));
		return 2;
	}
	snprintf(below, sizeof(below), "%s/below", folder);
	mkdir(below, 0777);
	for (unsigned int i = 0; i < MUTATORS; i++)
		if (fork() == 0)
			mutate(i);
	prctl(PR_SET_NAME, "mut parent");
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
