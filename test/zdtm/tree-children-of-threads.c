/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Children that were forked by several threads of their parent, and threads in the children.
 */
#include <pthread.h>
#include <unistd.h>

#include "zdtm.h"

enum { THREADS = 4 };

static pthread_barrier_t forked, checked;

static void *inner_thread(void *unused)
{
	pthread_barrier_wait(&forked);
	pthread_barrier_wait(&checked);
	return unused;
}

static int child(void *unused)
{
	pthread_t thread;
	pthread_barrier_init(&forked, NULL, 2);
	pthread_barrier_init(&checked, NULL, 2);
	zdtm_assert(!pthread_create(&thread, NULL, inner_thread, NULL));
	pthread_barrier_wait(&forked);
	zdtm_child_stays(unused);
	pthread_barrier_wait(&checked);
	zdtm_assert(!pthread_join(thread, NULL));
	return 0;
}

static void *forking_thread(void *arg)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&one_at_a_time);
	pid_t pid = zdtm_spawn(child, arg);
	pthread_mutex_unlock(&one_at_a_time);
	pthread_barrier_wait(&forked);
	pthread_barrier_wait(&checked);
	zdtm_join(pid);
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_barrier_init(&forked, NULL, THREADS + 1);
	pthread_barrier_init(&checked, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, forking_thread, NULL));
	pthread_barrier_wait(&forked);
	zdtm_ready();
	pthread_barrier_wait(&checked);
	for (int i = 0; i < THREADS; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
