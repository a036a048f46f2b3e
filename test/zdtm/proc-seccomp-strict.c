/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Strict seccomp mode: the process reads, writes and exits, and anything else kills it, before the
 * dump and after the restore.
 */
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "zdtm.h"

static int to_child[2], from_child[2];

/* Answers each byte with the next one; for 'k' it does what is forbidden. */
static int strict(void *unused)
{
	char byte;
	(void)unused;
	zdtm_child_ready();
	zdtm_assert(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
	while (read(to_child[0], &byte, 1) == 1) {
		if (byte == 'k')
			syscall(SYS_getppid);
		byte++;
		if (write(from_child[1], &byte, 1) != 1)
			break;
	}
	syscall(SYS_exit, 9); /* exit_group() is forbidden */
	return 0;
}

static pid_t start(void)
{
	pid_t pid = zdtm_spawn(strict, NULL);
	char seccomp[8];
	do
		zdtm_status(pid, "Seccomp", seccomp, sizeof(seccomp));
	while (seccomp[0] != '1');
	return pid;
}

static void ask(char byte)
{
	char answer = 0;
	zdtm_assert(write(to_child[1], &byte, 1) == 1 && read(from_child[0], &answer, 1) == 1);
	zdtm_assert_eq(answer, byte + 1);
}

int main(void)
{
	int status;
	zdtm_assert(!pipe(to_child) && !pipe(from_child));
	pid_t pid = start();
	ask('a');
	zdtm_ready();
	ask('b');
	zdtm_assert(write(to_child[1], "k", 1) == 1);
	zdtm_assert(waitpid(pid, &status, 0) == pid);
	zdtm_assert(WIFSIGNALED(status));
	zdtm_assert_eq(WTERMSIG(status), SIGKILL);
	zdtm_pass();
}
