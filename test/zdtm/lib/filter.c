/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes and checks seccomp filters.
 */
#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "zdtm.h"

enum { MAX_ALLOWED = 30 };

static void add(struct sock_filter *code, unsigned short len, unsigned int flags)
{
	struct sock_fprog program = { .len = len, .filter = code };
	long ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	if (ret > 0)
		zdtm_fail("seccomp: thread %ld cannot get the filter", ret);
	if (ret)
		zdtm_skip("seccomp: %m");
}

void filter_add(int number, int error, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned int)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	add(code, sizeof(code) / sizeof(*code), flags);
}

void filter_allow_only(const int *numbers, unsigned int n)
{
	struct sock_filter code[2 * MAX_ALLOWED + 2];
	unsigned short len = 0;
	zdtm_assert(n <= MAX_ALLOWED);
	code[len++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	for (unsigned int i = 0; i < n; i++) {
		code[len++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   (unsigned int)numbers[i], 0, 1);
		code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	}
	code[len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	add(code, len, 0);
}

void filter_check(int number, int error)
{
	errno = 0;
	long ret = syscall(number, -1, -1, -1, -1, -1, -1);
	if (error && (ret != -1 || errno != error))
		zdtm_fail("system call %d gives %ld, %m, and not error %d of its filter", number,
			  ret, error);
	if (!error && errno > 500)
		zdtm_fail("system call %d is filtered: %m", number);
}
