/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process that has registered for membarrier(2) may use it without registering again, and one
 * that has not may not.
 */
#include <errno.h>
#include <linux/membarrier.h>
#include <string.h>
#include <sys/syscall.h>

#include "zdtm.h"

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

/* What can be used says what is registered, on every kernel. */
static void check(bool expedited, bool core, bool global)
{
	zdtm_assert_eq(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0, expedited);
	zdtm_assert_eq(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) == 0, core);
#ifdef MEMBARRIER_CMD_GET_REGISTRATIONS
	long mask = membarrier(MEMBARRIER_CMD_GET_REGISTRATIONS);
	zdtm_assert_eq(!!(mask & MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED), global);
#else
	(void)global;
#endif
}

static int child(void *unused)
{
	(void)unused;
	zdtm_assert(!membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED));
	zdtm_child_wait();
	check(false, false, true);
	return 0;
}

int main(void)
{
	if (membarrier(1 << 9) < 0)
		zdtm_skip("MEMBARRIER_CMD_GET_REGISTRATIONS: %s", strerror(errno));
	pid_t pid = zdtm_spawn(child, NULL);
	zdtm_assert(!membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED));
	zdtm_assert(!membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE));
	zdtm_ready();
	check(true, true, false);
	zdtm_join(pid);
	zdtm_pass();
}
