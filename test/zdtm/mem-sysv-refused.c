/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A segment of System V shared memory is refused in words, and the program goes on with it.
 */
/* refused: System V shared memory */
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "zdtm.h"

int main(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	zdtm_assert(id >= 0);
	char *mem = shmat(id, NULL, 0);
	zdtm_assert(mem != (void *)-1);
	zdtm_assert(!shmctl(id, IPC_RMID, NULL));
	memcpy(mem, "kept", 5);

	zdtm_ready();

	zdtm_assert(!strcmp(mem, "kept"));
	zdtm_pass();
}
