/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An operation on a System V semaphore that the kernel is to undo at the exit: the dump is refused
 * in words, and nothing was undone.
 */
/* refused: SEM_UNDO */
#include <sys/ipc.h>
#include <sys/sem.h>

#include "zdtm.h"

int main(void)
{
	struct sembuf up = { .sem_op = 3, .sem_flg = SEM_UNDO };
	int id = semget(IPC_PRIVATE, 2, 0600);
	if (id < 0)
		zdtm_skip("no System V semaphores: %m");
	zdtm_assert(!semop(id, &up, 1));

	zdtm_ready();

	int value = semctl(id, 0, GETVAL), last = semctl(id, 0, GETPID);
	zdtm_assert(!semctl(id, 0, IPC_RMID));
	zdtm_assert_eq(value, 3);
	zdtm_assert_eq(last, zdtm_ids_get().pid);
	zdtm_pass();
}
