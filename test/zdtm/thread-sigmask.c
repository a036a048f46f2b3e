/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each thread has its own mask of blocked signals, real-time ones among them.
 */
#include <pthread.h>

#include "zdtm.h"

enum { THREADS = 4 };

static pthread_barrier_t set_up, check;

/* Which signals thread @thread blocks: another mixture for each. */
static bool blocks(int thread, int sig)
{
	return sig == SIGTERM || (sig * 7 + thread * 3) % 5 < 2;
}

static void set_mask(int thread)
{
	sigset_t set;
	sigemptyset(&set);
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (blocks(thread, sig))
			sigaddset(&set, sig);
	zdtm_assert(!pthread_sigmask(SIG_SETMASK, &set, NULL));
}

static void check_mask(int thread)
{
	sigset_t set;
	zdtm_assert(!pthread_sigmask(SIG_SETMASK, NULL, &set));
	for (int sig = 1; sig <= SIGRTMAX; sig++) {
		bool ours = sig == SIGKILL || sig == SIGSTOP || (sig > SIGSYS && sig < SIGRTMIN);
		if (!ours && sigismember(&set, sig) != blocks(thread, sig))
			zdtm_fail("thread %d: signal %d is %sblocked", thread, sig,
				  blocks(thread, sig) ? "not " : "");
	}
}

static void *hold(void *arg)
{
	int thread = *(int *)arg;
	set_mask(thread);
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	check_mask(thread);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i + 1;
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, &numbers[i]));
	}
	set_mask(0);
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	check_mask(0);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
