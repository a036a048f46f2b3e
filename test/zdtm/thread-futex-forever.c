/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads that wait without a time-out, for a mutex, a condition and a semaphore, are woken after
 * the restore, and not before.
 */
#include <pthread.h>
#include <semaphore.h>

#include "zdtm.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, held = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static sem_t semaphore;
static volatile bool may_go;
static volatile int waiting;

static void *wait_for_mutex(void *unused)
{
	__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	zdtm_assert(!pthread_mutex_lock(&held));
	zdtm_assert(may_go);
	zdtm_assert(!pthread_mutex_unlock(&held));
	return unused;
}

static void *wait_for_cond(void *unused)
{
	zdtm_assert(!pthread_mutex_lock(&mutex));
	__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	while (!may_go)
		zdtm_assert(!pthread_cond_wait(&cond, &mutex));
	zdtm_assert(!pthread_mutex_unlock(&mutex));
	return unused;
}

static void *wait_for_semaphore(void *unused)
{
	__atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
	/* sem_wait() may tell of an interruption that no handler was run for: freezing is one. */
	while (sem_wait(&semaphore))
		;
	zdtm_assert(may_go);
	return unused;
}

int main(void)
{
	void *(*const waits[])(void *) = { wait_for_mutex, wait_for_cond, wait_for_semaphore };
	pthread_t threads[3];
	zdtm_assert(!sem_init(&semaphore, 0, 0));
	zdtm_assert(!pthread_mutex_lock(&held));
	for (int i = 0; i < 3; i++)
		zdtm_assert(!pthread_create(&threads[i], NULL, waits[i], NULL));
	while (waiting < 3)
		zdtm_sleep_ms(1);
	zdtm_sleep_ms(50);
	zdtm_ready();
	zdtm_sleep_ms(50);
	zdtm_assert(!pthread_mutex_lock(&mutex));
	may_go = true;
	zdtm_assert(!pthread_cond_broadcast(&cond));
	zdtm_assert(!pthread_mutex_unlock(&mutex));
	zdtm_assert(!pthread_mutex_unlock(&held));
	zdtm_assert(!sem_post(&semaphore));
	for (int i = 0; i < 3; i++)
		zdtm_assert(!pthread_join(threads[i], NULL));
	zdtm_pass();
}
