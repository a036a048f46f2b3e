/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Threads are seized, stopped and released here. See ptrace(2): PTRACE_SEIZE, PTRACE_INTERRUPT,
 * "Stopped states".
 */
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>

#include "internal.h"

/* Why a thread cannot be seized. ptrace says -EPERM for nearly everything. */
static int seize_failed(pid_t tid, int ret, struct compel_error *err)
{
	struct compel_proc proc;

	if (ret != -EPERM || compel_proc_read(tid, &proc) < 0)
		return compel_fail_errno(err, ret, "PTRACE_SEIZE of thread %d", tid);
	if (proc.state == 'Z' || proc.state == 'X')
		return compel_fail(err, -ESRCH, "PTRACE_SEIZE of thread %d: it is a zombie", tid);
	if (proc.tracer)
		return compel_fail(err, -EBUSY,
				   "PTRACE_SEIZE of thread %d: process %llu traces it already, end "
				   "that debugger first",
				   tid, (unsigned long long)proc.tracer);
	if (proc.kthread)
		return compel_fail(err, -EPERM, "PTRACE_SEIZE of thread %d: it is a kernel thread",
				   tid);
	return compel_fail_errno(err, ret,
				 "PTRACE_SEIZE of thread %d (needs CAP_SYS_PTRACE, see "
				 "kernel.yama.ptrace_scope)",
				 tid);
}

int compel_seize(pid_t tid, uint32_t options, struct compel_error *err)
{
	long ret = compel_ptrace(COMPEL_PTRACE_SEIZE, tid, NULL, (void *)(uintptr_t)options);

	return ret < 0 ? seize_failed(tid, (int)ret, err) : 0;
}

int compel_interrupt(pid_t tid, struct compel_error *err)
{
	return compel_ptrace_named(COMPEL_PTRACE_INTERRUPT, "PTRACE_INTERRUPT", tid, NULL, NULL,
				   err);
}

int compel_continue(pid_t tid, int signo, struct compel_error *err)
{
	return compel_ptrace_named(PTRACE_CONT, "PTRACE_CONT", tid, NULL, (void *)(uintptr_t)signo,
				   err);
}

int compel_detach(pid_t tid, int signo, struct compel_error *err)
{
	return compel_ptrace_named(PTRACE_DETACH, "PTRACE_DETACH", tid, NULL,
				   (void *)(uintptr_t)signo, err);
}

static int stop_timed_out(pid_t tid, struct compel_error *err)
{
	struct compel_proc proc = { .state = '?' };

	compel_proc_read(tid, &proc);
	return compel_fail(err, -ETIMEDOUT,
			   "thread %d does not stop (state %c): it waits inside the kernel, for a "
			   "vforked child or a device",
			   tid, proc.state ? proc.state : '?');
}

/*
 * A signal stop or system call stop cancels a stop request made before it, so the request is made
 * anew, and takes effect when the kernel has dealt with the signal.
 */
static int pass_by(pid_t tid, int signo, struct compel_error *err)
{
	int ret = compel_interrupt(tid, err);

	return ret < 0 ? ret : compel_continue(tid, signo, err);
}

int compel_wait_stop(pid_t tid, int64_t deadline, struct compel_stop *ret_stop,
		     struct compel_error *err)
{
	for (;;) {
		int status;
		int ret = compel_wait_status(tid, deadline, &status);

		if (ret == -ETIMEDOUT)
			return stop_timed_out(tid, err);
		if (ret < 0)
			return compel_fail_errno(err, ret, "waitpid for thread %d", tid);

		struct compel_wait wait = compel_wait_decode(status);
		struct compel_stop stop = { 0 };

		switch (wait.kind) {
		case COMPEL_WAIT_SIGNAL:
		case COMPEL_WAIT_SYSCALL:
			ret = pass_by(tid, wait.kind == COMPEL_WAIT_SIGNAL ? wait.signo : 0, err);
			if (ret < 0 && ret != -ESRCH)
				return ret;
			/* Killed in the stop: the next wait says so. */
			continue;
		case COMPEL_WAIT_EVENT: stop.kind = COMPEL_STOP_EVENT; break;
		case COMPEL_WAIT_GROUP:
			stop.kind = COMPEL_STOP_GROUP;
			stop.signo = wait.signo;
			break;
		case COMPEL_WAIT_PTRACE:
			stop.kind = COMPEL_STOP_PTRACE;
			stop.event = wait.event;
			break;
		case COMPEL_WAIT_DEAD:
			stop.kind = COMPEL_STOP_EXITED;
			stop.status = status;
			break;
		}
		*ret_stop = stop;
		return 0;
	}
}
