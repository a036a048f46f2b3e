/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All threads of a stopped process stay stopped, also those that were computing.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

enum { THREADS = 4 };

static volatile unsigned long *counts; /* shared, one for each thread */

static void *count(void *arg)
{
	volatile unsigned long *mine = arg;
	for (;;)
		++*mine;
	return NULL;
}

static int child(void *unused)
{
	(void)unused;
	for (int i = 0; i < THREADS; i++) {
		pthread_t thread;
		zdtm_assert(!pthread_create(&thread, NULL, count, (void *)&counts[i]));
	}
	for (int i = 0; i < THREADS; i++)
		while (!counts[i])
			zdtm_sleep_ms(1);
	zdtm_child_ready();
	raise(SIGSTOP);
	zdtm_wait();
	return 0;
}

int main(void)
{
	counts = mmap(NULL, THREADS * sizeof(*counts), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	zdtm_assert(counts != MAP_FAILED);
	pid_t pid = zdtm_spawn(child, NULL);
	int status;
	zdtm_assert(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	unsigned long before[THREADS];
	for (int i = 0; i < THREADS; i++)
		before[i] = counts[i];
	zdtm_ready();
	zdtm_sleep_ms(100);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert_eq(counts[i], before[i]);
	zdtm_assert(!kill(pid, SIGCONT));
	for (int i = 0; i < THREADS; i++)
		while (counts[i] == before[i])
			zdtm_sleep_ms(1);
	zdtm_join(pid);
	zdtm_pass();
}
