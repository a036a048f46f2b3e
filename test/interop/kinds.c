/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two processes with what has no name: a memfd that is mapped and sealed, shared anonymous memory,
 * an eventfd, a timerfd, a signalfd with a signal that waits, and an epoll set that watches them.
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "interop.h"

#define MEM_BYTES     (1u << 20)
#define MEMFD_POS     4321
#define EVENT_COUNT   5
#define TIMER_SECONDS 2
#define SEALS         (F_SEAL_SHRINK | F_SEAL_GROW)
#define WAIT_MS       5000

struct shared {
	volatile unsigned int asked, answered;
	unsigned char bytes[MEM_BYTES];
};

struct kinds {
	const char *path;
	struct shared *shared;    /* anonymous */
	unsigned char *mapped;    /* the memfd */
	const unsigned char *own; /* the memfd, a private mapping with one byte changed */
	int memfd, event, timer, signal, epoll;
};

static unsigned char byte_at(size_t i, unsigned int seed)
{
	return (unsigned char)(i * 7 + i / 4096 + seed);
}

static void fill(unsigned char *bytes, unsigned int seed)
{
	for (size_t i = 0; i < MEM_BYTES; i++)
		bytes[i] = byte_at(i, seed);
}

static bool holds(const unsigned char *bytes, unsigned int seed)
{
	for (size_t i = 0; i < MEM_BYTES; i++) {
		if (bytes[i] != byte_at(i, seed))
			return false;
	}
	return true;
}

static void *map_bytes(size_t size, int prot, int flags, int fd)
{
	void *map = mmap(NULL, size, prot, flags, fd, 0);
	if (map == MAP_FAILED)
		die("mmap");
	return map;
}

static void make_memory(struct kinds *k)
{
	k->shared = map_bytes(sizeof(*k->shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1);
	fill(k->shared->bytes, 1);
	k->memfd = memfd_create("interop", MFD_ALLOW_SEALING);
	if (k->memfd < 0 || ftruncate(k->memfd, MEM_BYTES) < 0)
		die("memfd");
	k->mapped = map_bytes(MEM_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, k->memfd);
	fill(k->mapped, 2);
	unsigned char *own = map_bytes(MEM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE, k->memfd);
	own[0]++;
	k->own = own;
	if (fcntl(k->memfd, F_ADD_SEALS, SEALS) < 0 ||
	    lseek(k->memfd, MEMFD_POS, SEEK_SET) != MEMFD_POS)
		die("memfd seals");
}

static void watch(const struct kinds *k, int fd, uint32_t data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = data };
	if (epoll_ctl(k->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
}

static void make_descriptors(struct kinds *k)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || kill(getpid(), SIGUSR2) < 0)
		die("SIGUSR2");
	/* once: criu loses the phase of one that repeats and was not read in time */
	struct itimerspec once = { .it_value.tv_sec = TIMER_SECONDS };
	k->event = eventfd(EVENT_COUNT, EFD_NONBLOCK);
	k->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	k->signal = signalfd(-1, &set, SFD_NONBLOCK);
	k->epoll = epoll_create1(0);
	if (k->event < 0 || k->timer < 0 || k->signal < 0 || k->epoll < 0 ||
	    timerfd_settime(k->timer, 0, &once, NULL) < 0)
		die("eventfd, timerfd, signalfd or epoll");
	watch(k, k->event, 'e');
	watch(k, k->timer, 't');
	watch(k, k->signal, 's');
}

/* The child sees the same memory as the parent, adds to the eventfd and says so. */
static _Noreturn void run_child(const struct kinds *k)
{
	while (true) {
		sleep_ms(10);
		if (k->shared->answered == k->shared->asked)
			continue;
		bool fine = holds(k->shared->bytes, 1) && holds(k->mapped, 2) &&
			    lseek(k->memfd, 0, SEEK_CUR) == MEMFD_POS &&
			    eventfd_write(k->event, 1) == 0;
		report_state(k->path, "child", fine);
		k->shared->answered++;
	}
}

static bool memfd_holds(const struct kinds *k)
{
	unsigned char byte;
	return holds(k->mapped, 2) && fcntl(k->memfd, F_GET_SEALS) == SEALS &&
	       pread(k->memfd, &byte, 1, MEM_BYTES - 1) == 1 && byte == byte_at(MEM_BYTES - 1, 2) &&
	       k->own[0] == (unsigned char)(byte_at(0, 2) + 1) && k->own[1] == byte_at(1, 2);
}

static bool child_answers(const struct kinds *k)
{
	k->shared->asked++;
	for (int i = 0; i < WAIT_MS / 10; i++) {
		if (k->shared->answered == k->shared->asked)
			return true;
		sleep_ms(10);
	}
	return false;
}

/* Waits until each of the three has been seen ready. */
static bool epoll_holds(const struct kinds *k)
{
	bool event = false, timer = false, signal = false;
	for (int i = 0; i < WAIT_MS / 10 && !(event && timer && signal); i++) {
		struct epoll_event ready[4];
		int n = epoll_wait(k->epoll, ready, 4, 0);
		for (int j = 0; j < n; j++) {
			event = event || ready[j].data.u32 == 'e';
			timer = timer || ready[j].data.u32 == 't';
			signal = signal || ready[j].data.u32 == 's';
		}
		sleep_ms(10);
	}
	return event && timer && signal;
}

static bool timer_holds(const struct kinds *k)
{
	uint64_t count;
	return read(k->timer, &count, sizeof(count)) == sizeof(count) && count == 1;
}

static bool signal_holds(const struct kinds *k)
{
	struct signalfd_siginfo info;
	return read(k->signal, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGUSR2 &&
	       kill(getpid(), SIGUSR2) == 0;
}

static bool event_holds(const struct kinds *k)
{
	eventfd_t count = 0;
	return eventfd_read(k->event, &count) == 0 && count == EVENT_COUNT + 1 &&
	       eventfd_write(k->event, EVENT_COUNT) == 0;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	struct kinds k = { .path = argv[1] };
	make_memory(&k);
	make_descriptors(&k);
	pid_t child = fork();
	if (child < 0)
		die("fork");
	if (child == 0)
		run_child(&k);
	catch_ask();
	report(k.path, "ready %d 7\n", (int)getpid());
	while (true) {
		sleep_ms(10);
		if (!was_asked())
			continue;
		report_state(k.path, "shared memory",
			     child_answers(&k) && holds(k.shared->bytes, 1));
		report_state(k.path, "memfd", memfd_holds(&k));
		report_state(k.path, "epoll", epoll_holds(&k));
		report_state(k.path, "eventfd", event_holds(&k));
		report_state(k.path, "timerfd", timer_holds(&k));
		report_state(k.path, "signalfd", signal_holds(&k));
	}
}
