/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process between vfork and exec shares its memory with a suspended parent: a dump is refused in
 * words, and the tree runs on.
 */
/* refused: vfork */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

static int vforking(void *arg)
{
	volatile pid_t *vforked = arg;
	zdtm_child_ready();
	pid_t pid = vfork();
	if (pid == 0) {
		*vforked = getpid();
		zdtm_wait();
		_exit(4);
	}
	int status;
	zdtm_assert(waitpid(pid, &status, 0) == pid);
	zdtm_assert(WIFEXITED(status) && WEXITSTATUS(status) == 4);
	return 0;
}

int main(void)
{
	volatile pid_t *vforked = mmap(NULL, sizeof(*vforked), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	zdtm_assert(vforked != MAP_FAILED);
	pid_t child = zdtm_spawn(vforking, (void *)vforked);
	while (!*vforked)
		zdtm_sleep_ms(1);
	zdtm_ready();
	zdtm_assert(!kill(*vforked, SIGTERM));
	int status;
	zdtm_assert(waitpid(child, &status, 0) == child);
	zdtm_assert_eq(status, 0);
	zdtm_pass();
}
