/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Alternate signal stacks, another one in each thread, are set and used after the restore.
 */
#include <pthread.h>
#include <stdlib.h>

#include "zdtm.h"

enum { THREADS = 3 };

static pthread_barrier_t set_up, check;
static __thread char *handled_at; /* an address on the stack of the handler */

static void on_signal(int sig)
{
	char here;
	(void)sig;
	char *volatile address = &here;
	handled_at = address;
}

static void *hold(void *arg)
{
	size_t size = (size_t)SIGSTKSZ + *(size_t *)arg * 4096;
	stack_t stack = { .ss_sp = malloc(size), .ss_size = size }, now;
	zdtm_assert(stack.ss_sp && !sigaltstack(&stack, NULL));
	pthread_barrier_wait(&set_up);
	pthread_barrier_wait(&check);
	zdtm_assert(!sigaltstack(NULL, &now));
	zdtm_assert(now.ss_sp == stack.ss_sp);
	zdtm_assert_eq(now.ss_size, size);
	zdtm_assert_eq(now.ss_flags, 0);
	zdtm_assert(!raise(SIGUSR1));
	zdtm_assert(handled_at > (char *)stack.ss_sp && handled_at < (char *)stack.ss_sp + size);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	size_t sizes[THREADS];
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
	zdtm_assert(!sigaction(SIGUSR1, &action, NULL));
	pthread_barrier_init(&set_up, NULL, THREADS + 1);
	pthread_barrier_init(&check, NULL, THREADS + 1);
	for (size_t i = 0; i < THREADS; i++) {
		sizes[i] = i;
		zdtm_assert(!pthread_create(&threads[i], NULL, hold, &sizes[i]));
	}
	pthread_barrier_wait(&set_up);
	zdtm_ready();
	stack_t none;
	zdtm_assert(!sigaltstack(NULL, &none));
	zdtm_assert_eq(none.ss_flags, SS_DISABLE);
	pthread_barrier_wait(&check);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
