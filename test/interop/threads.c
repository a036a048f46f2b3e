/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that compute with integer and floating point registers all the time, and threads that
 * wait on a condition; each knows itself by a thread-local variable.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "interop.h"

#define NR_BUSY  4
#define NR_IDLE  4
#define NR_STEPS 20000

static const char *path;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_uint round_asked;
static atomic_uint ready;
static _Thread_local uintptr_t self;

struct result {
	double real;
	uint64_t whole;
};

/* One turn of work; the values live in registers, so a register that is lost shows. */
static struct result compute(void)
{
	struct result r = { .real = 1.0, .whole = 1 };
	for (unsigned int i = 1; i <= NR_STEPS; i++) {
		r.real = r.real * 1.0000001 + 1.0 / i;
		r.whole = r.whole * 6364136223846793005u + i;
	}
	return r;
}

static void *busy_main(void *arg)
{
	unsigned int seen = 0;
	bool fine = true;
	struct result expect = compute();
	self = (uintptr_t)arg;
	ready++;
	while (true) {
		struct result got = compute();
		fine = fine && got.whole == expect.whole && !(got.real < expect.real) &&
		       !(got.real > expect.real);
		if (round_asked != seen) {
			seen = round_asked;
			report_state(path, "busy thread", fine && self == (uintptr_t)arg);
		}
		sleep_ms(1);
	}
	return NULL;
}

static void *idle_main(void *arg)
{
	unsigned int seen = 0;
	self = (uintptr_t)arg;
	ready++;
	pthread_mutex_lock(&lock);
	while (true) {
		while (round_asked == seen)
			pthread_cond_wait(&cond, &lock);
		seen = round_asked;
		report_state(path, "idle thread", self == (uintptr_t)arg);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	path = argv[1];
	/* only the first thread takes SIGUSR1 */
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	for (uintptr_t i = 0; i < NR_BUSY + NR_IDLE; i++) {
		pthread_t thread;
		errno = pthread_create(&thread, NULL, i < NR_BUSY ? busy_main : idle_main,
				       (void *)(i + 1));
		if (errno)
			die("pthread_create");
	}
	while (ready < NR_BUSY + NR_IDLE)
		sleep_ms(1);
	catch_ask();
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	report(path, "ready %d %d\n", (int)getpid(), NR_BUSY + NR_IDLE + 1);
	while (true) {
		pause();
		if (!was_asked())
			continue;
		report_state(path, "first thread", self == 0);
		pthread_mutex_lock(&lock);
		round_asked++;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
	}
}
