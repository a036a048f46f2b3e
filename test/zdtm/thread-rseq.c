/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The area for restartable sequences that each thread has registered is known to the kernel, with
 * its size and signature, and is written to.
 */
#include <errno.h>
#include <linux/rseq.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

#if defined(__has_include) && __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define LIBC_RSEQ 1
#else
#define LIBC_RSEQ 0
#endif

enum { THREADS = 2, AREA_SIZE = 32, MY_SIGNATURE = 0x5ca1ab1e };

static pthread_barrier_t set_up, check;

static struct rseq *libc_area(void)
{
#if LIBC_RSEQ
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
#else
	return NULL;
#endif
}

static long rseq(struct rseq *area, uint32_t size, int flags, uint32_t signature)
{
	return syscall(SYS_rseq, area, size, flags, signature);
}

/* An area of our own, in place of the C library's where that has one. */
static void use_area(struct rseq *area)
{
#if LIBC_RSEQ
	if (__rseq_size)
		zdtm_assert(!rseq(libc_area(), AREA_SIZE, RSEQ_FLAG_UNREGISTER, RSEQ_SIG));
#endif
	area->cpu_id = (uint32_t)RSEQ_CPU_ID_UNINITIALIZED;
	if (rseq(area, AREA_SIZE, 0, MY_SIGNATURE)) {
		if (errno == ENOSYS)
			zdtm_skip("the kernel has no rseq");
		zdtm_fail("rseq: %m");
	}
}

static void check_area(struct rseq *area)
{
	/* The kernel knows this one: the same again is busy, any other is wrong. */
	zdtm_assert(rseq(area, AREA_SIZE, 0, MY_SIGNATURE) == -1);
	zdtm_assert_eq(errno, EBUSY);
	zdtm_assert(rseq(area, AREA_SIZE, 0, MY_SIGNATURE + 1) == -1);
	zdtm_assert_eq(errno, EPERM);
	/* A signal makes the kernel write the number of the processor anew. */
	cpu_set_t cpus;
	unsigned int cpu;
	zdtm_assert(!sched_getaffinity(0, sizeof(cpus), &cpus));
	zdtm_assert(!syscall(SYS_getcpu, &cpu, NULL, NULL));
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	zdtm_assert(!sched_setaffinity(0, sizeof(cpus), &cpus));
	*(volatile uint32_t *)&area->cpu_id = 12345;
	zdtm_assert(!raise(SIGUSR1));
	zdtm_assert_eq(*(volatile uint32_t *)&area->cpu_id, cpu);
	zdtm_assert(!rseq(area, AREA_SIZE, RSEQ_FLAG_UNREGISTER, MY_SIGNATURE));
}

static void *hold(void *arg)
{
	use_area(arg);
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	check_area(arg);
	return NULL;
}

static void do_nothing(int sig)
{
	(void)sig;
}

int main(void)
{
	static struct rseq areas[THREADS + 1];
	pthread_t threads[THREADS];
	zdtm_assert(signal(SIGUSR1, do_nothing) == SIG_DFL);
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, &areas[i]));
	use_area(&areas[THREADS]);
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	check_area(&areas[THREADS]);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
