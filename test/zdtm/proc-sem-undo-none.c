/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists of undos with nothing in them, in two processes: threads have one before they use it, and a
 * set that is removed leaves it. A third process uses a set without SEM_UNDO.
 */
#include <pthread.h>
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "zdtm.h"

static int new_set(void)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	if (id < 0)
		zdtm_skip("no System V semaphores: %m");
	return id;
}

static int set_removed(void *set)
{
	struct sembuf up = { .sem_op = 1, .sem_flg = SEM_UNDO };
	zdtm_assert(!semop(*(int *)set, &up, 1));
	zdtm_assert(!semctl(*(int *)set, 0, IPC_RMID));
	return zdtm_child_stays(NULL);
}

static int not_undone(void *set)
{
	struct sembuf up = { .sem_op = 3 };
	zdtm_assert(!semop(*(int *)set, &up, 1));
	return zdtm_child_stays(NULL);
}

static void *wait_to_end(void *barrier)
{
	pthread_barrier_wait(barrier);
	return NULL;
}

int main(void)
{
	pthread_barrier_t barrier;
	pthread_t thread;
	int removed = new_set(), id = new_set();
	pid_t pids[] = { zdtm_spawn(set_removed, &removed), zdtm_spawn(not_undone, &id) };
	pthread_barrier_init(&barrier, NULL, 2);
	zdtm_assert(!pthread_create(&thread, NULL, wait_to_end, &barrier));

	zdtm_ready();

	int value = semctl(id, 0, GETVAL);
	zdtm_assert(!semctl(id, 0, IPC_RMID));
	zdtm_assert_eq(value, 3);
	zdtm_join(pids[0]);
	zdtm_join(pids[1]);
	pthread_barrier_wait(&barrier);
	zdtm_assert(!pthread_join(thread, NULL));
	zdtm_pass();
}
