// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process tree with something of every kind, to be dumped once by criu: test/golden/record turns
 * that image into a fixture. Usage: tree DIR, where it makes its files.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA           0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

enum { KIB = 1024 };

static void must(int ok, const char *what)
{
	if (!ok)
		err(1, "%s", what);
}

static void make_pipes(void)
{
	int ends[2];

	must(pipe(ends) == 0, "pipe");
	must(write(ends[1], "hello pipe", 10) == 10, "write to pipe");
	must(mkfifo("fifo", 0600) == 0, "mkfifo");
	int fifo = open("fifo", O_RDWR);
	must(write(fifo, "hello", 5) == 5, "write to fifo");
}

static void make_events(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 77 };
	struct itimerspec times = { .it_interval.tv_sec = 1000, .it_value.tv_sec = 1000 };
	sigset_t signals;

	int eventfd_fd = eventfd(3, 0);
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, eventfd_fd, &event) == 0, "epoll_ctl");
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	must(timerfd_settime(timer, 0, &times, NULL) == 0, "timerfd_settime");
	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR2);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	must(signalfd(-1, &signals, 0) >= 0, "signalfd");
	kill(getpid(), SIGUSR2);
}

static void make_files(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_start = 3, .l_len = 5 };

	int deleted = open("deleted", O_CREAT | O_RDWR, 0640);
	must(write(deleted, "ghost", 5) == 5, "write");
	must(pwrite(deleted, "tail", 4, 512 * KIB) == 4, "pwrite");
	unlink("deleted");
	must(mkdir("gone", 0755) == 0, "mkdir");
	must(open("gone", O_RDONLY | O_DIRECTORY) >= 0, "open folder");
	rmdir("gone");
	int flocked = open("flocked", O_CREAT | O_RDWR | O_APPEND, 0644);
	must(flock(flocked, LOCK_EX) == 0, "flock");
	int locked = open("locked", O_CREAT | O_RDWR, 0644);
	must(fcntl(locked, F_SETLK, &lock) == 0, "fcntl");
}

static void make_terminal(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	must(grantpt(master) == 0 && unlockpt(master) == 0, "unlockpt");
	must(open(ptsname(master), O_RDWR | O_NOCTTY) >= 0, "open terminal");
	must(write(master, "typed", 5) == 5, "write to terminal");
}

static void make_memory(void)
{
	int fd = memfd_create("memory file", 0);

	must(ftruncate(fd, 8 * KIB) == 0, "ftruncate");
	must(write(fd, "memfd", 5) == 5, "write to memfd");
	must(mmap(NULL, 8 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED, "mmap");
	char *shared =
		mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(shared + 8 * KIB, 7, 8 * KIB);
	char *own =
		mmap(NULL, 64 * KIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(own, 8, 32 * KIB);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, own, 64 * KIB, "arena");
	madvise(own, 64 * KIB, MADV_DONTFORK);
	must(mmap(NULL, 1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) !=
		     MAP_FAILED,
	     "mmap of nothing");
}

static void make_process_state(void)
{
	struct itimerval every = { .it_interval.tv_sec = 500, .it_value.tv_sec = 500 };
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };
	timer_t timer;

	setitimer(ITIMER_REAL, &every, NULL);
	timer_create(CLOCK_REALTIME, NULL, &timer);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	must(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp");
}

static void *wait_forever(void *arg)
{
	prctl(PR_SET_NAME, "worker");
	for (;;)
		pause();
	return NULL;
}

static void make_children(void)
{
	pthread_t thread;

	must(pthread_create(&thread, NULL, wait_forever, NULL) == 0, "pthread_create");
	if (fork() == 0) {
		prctl(PR_SET_NAME, "child one");
		setpgid(0, 0);
		open("/dev/null", O_WRONLY | O_CLOEXEC);
		for (;;)
			pause();
	}
	if (fork() == 0)
		_exit(3);
	if (fork() == 0) {
		prctl(PR_SET_NAME, "asleep");
		raise(SIGSTOP);
		_exit(0);
	}
}

int main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]) < 0)
		errx(1, "usage: tree DIR");
	setsid();
	close_range(3, ~0U, 0);
	make_pipes();
	make_events();
	make_files();
	make_terminal();
	make_memory();
	make_process_state();
	make_children();
	close(open("ready", O_CREAT | O_WRONLY, 0600));
	for (;;)
		pause();
}
