/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The holder of a robust mutex dies after the restore, once as a thread and once as a process: the
 * next owner is told so.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "zdtm.h"

static pthread_barrier_t locked, die;

static void mutex_init(pthread_mutex_t *mutex)
{
	pthread_mutexattr_t attr;
	pthread_mutexattr_init(&attr);
	zdtm_assert(!pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST));
	zdtm_assert(!pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	zdtm_assert(!pthread_mutex_init(mutex, &attr));
}

static void *lock_and_die(void *mutex)
{
	zdtm_assert(!pthread_mutex_lock(mutex));
	pthread_barrier_wait(&locked);
	pthread_barrier_wait(&die);
	return NULL;
}

static int lock_and_wait(void *mutex)
{
	zdtm_assert(!pthread_mutex_lock(mutex));
	zdtm_child_wait();
	return 0;
}

static void check(pthread_mutex_t *mutex)
{
	zdtm_assert_eq(pthread_mutex_trylock(mutex), EOWNERDEAD);
	zdtm_assert(!pthread_mutex_consistent(mutex));
	zdtm_assert(!pthread_mutex_unlock(mutex));
	zdtm_assert(!pthread_mutex_lock(mutex));
}

int main(void)
{
	pthread_mutex_t *mutexes = mmap(NULL, 2 * sizeof(*mutexes), PROT_READ | PROT_WRITE,
					MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	zdtm_assert(mutexes != MAP_FAILED);
	mutex_init(&mutexes[0]);
	mutex_init(&mutexes[1]);
	pthread_barrier_init(&locked, NULL, 2);
	pthread_barrier_init(&die, NULL, 2);
	pthread_t thread;
	pid_t child = zdtm_spawn(lock_and_wait, &mutexes[1]);
	zdtm_assert(!pthread_create(&thread, NULL, lock_and_die, &mutexes[0]));
	pthread_barrier_wait(&locked);
	zdtm_ready();

	zdtm_assert_eq(pthread_mutex_trylock(&mutexes[0]), EBUSY);
	zdtm_assert_eq(pthread_mutex_trylock(&mutexes[1]), EBUSY);
	pthread_barrier_wait(&die);
	zdtm_assert(!pthread_join(thread, NULL));
	check(&mutexes[0]);
	zdtm_assert(!kill(child, SIGKILL));
	zdtm_assert(waitpid(child, NULL, 0) == child);
	check(&mutexes[1]);
	zdtm_pass();
}
