/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A filter that kills for the calls by which signals are returned from and interrupted calls are
 * gone on with: neither stopping the process nor setting its registers may do one.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "filter.h"
#include "zdtm.h"

static int to_child[2];

static int child(void *unused)
{
	static const int allowed[] = { SYS_read, SYS_write, SYS_close, SYS_exit_group };
	char byte = 0;
	(void)unused;
	zdtm_assert(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	zdtm_child_ready();
	filter_allow_only(allowed, sizeof(allowed) / sizeof(*allowed));
	return read(to_child[0], &byte, 1) == 1 && byte == 'a' ? 23 : 1;
}

int main(void)
{
	int status;
	char seccomp[8];
	zdtm_assert(!pipe(to_child));
	pid_t pid = zdtm_spawn(child, NULL);
	do
		zdtm_status(pid, "Seccomp", seccomp, sizeof(seccomp));
	while (seccomp[0] != '2');
	zdtm_await_state(pid, 'S');
	zdtm_ready();
	zdtm_assert(waitpid(pid, &status, WNOHANG) == 0);
	zdtm_assert(write(to_child[1], "a", 1) == 1 && waitpid(pid, &status, 0) == pid);
	zdtm_assert(WIFEXITED(status));
	zdtm_assert_eq(WEXITSTATUS(status), 23);
	zdtm_pass();
}
