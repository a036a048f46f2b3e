/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Waiting for a traced thread with a time limit.
 *
 * waitpid(2) has no time limit, and no descriptor becomes ready when a tracee stops, so this polls:
 * first without a pause, because a stop mostly is microseconds away and waking a sleeping waiter on
 * another processor costs more than the stop itself; then with growing sleeps. It never yields: on
 * a busy machine sched_yield() gives away milliseconds, while a tracee that is woken on this
 * processor mostly preempts the poller anyway.
 */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "internal.h"

#define SPIN_NS      50000
#define SLEEP_MIN_NS 10000
#define SLEEP_MAX_NS 1000000
#define DEAD_LOOK_NS 10000000 /* how often a silent thread is looked at in /proc */
#define NS_PER_SEC   1000000000LL
#define NS_PER_MS    1000000LL

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

int64_t compel_deadline(int timeout_ms)
{
	return now_ns() / NS_PER_MS + timeout_ms;
}

enum { NOT_YET, CHANGED };

/* One of these, or -errno. */
static int poll_status(pid_t tid, int *ret_status)
{
	int status;
	pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

	if (got < 0)
		return errno == ECHILD ? -ESRCH : -errno;
	if (got == 0)
		return NOT_YET;
	*ret_status = status;
	return CHANGED;
}

/*
 * A dead leader is reported only after all other threads of its process were reaped, which the
 * tracer may be about to do one after the other: waiting for it here would never end.
 */
static bool is_dead(pid_t tid)
{
	struct compel_proc proc;
	int ret = compel_proc_read(tid, &proc);

	return ret == -ENOENT || ret == -ESRCH ||
	       (ret == 0 && (proc.state == 'Z' || proc.state == 'X'));
}

/* Polls with growing sleeps until @end. */
static int wait_asleep(pid_t tid, int64_t end, int *ret_status)
{
	int64_t looked = now_ns();

	for (int64_t sleep = SLEEP_MIN_NS;;) {
		struct timespec ts = { .tv_nsec = (long)sleep };

		nanosleep(&ts, NULL);
		int ret = poll_status(tid, ret_status);
		if (ret != NOT_YET)
			return ret;
		int64_t now = now_ns();
		if (now >= end)
			return -ETIMEDOUT;
		if (now - looked > DEAD_LOOK_NS) {
			looked = now;
			if (is_dead(tid)) {
				/* It may have become reapable between the two looks. */
				ret = poll_status(tid, ret_status);
				if (ret == NOT_YET)
					*ret_status = -1;
				return ret < 0 ? ret : CHANGED;
			}
		}
		sleep = sleep * 2 < SLEEP_MAX_NS ? sleep * 2 : SLEEP_MAX_NS;
	}
}

int compel_wait_status(pid_t tid, int64_t deadline, int *ret_status)
{
	int64_t start = now_ns(), now;
	int64_t end = deadline < INT64_MAX / NS_PER_MS ? deadline * NS_PER_MS : INT64_MAX;

	do {
		int ret = poll_status(tid, ret_status);

		if (ret != NOT_YET)
			return ret < 0 ? ret : 0;
		now = now_ns();
		if (now >= end)
			return -ETIMEDOUT;
	} while (now - start < SPIN_NS);

	/* The usual slack of 50 us would make every short sleep a long one. */
	int slack = prctl(PR_GET_TIMERSLACK);

	if (slack > 0)
		prctl(PR_SET_TIMERSLACK, 1UL);
	int ret = wait_asleep(tid, end, ret_status);
	if (slack > 0)
		prctl(PR_SET_TIMERSLACK, (unsigned long)slack);
	return ret < 0 ? ret : 0;
}

struct compel_wait compel_wait_decode(int status)
{
	struct compel_wait wait = { .kind = COMPEL_WAIT_DEAD };

	if (status == -1 || !WIFSTOPPED(status))
		return wait;
	wait.event = (int)((unsigned int)status >> 16);
	wait.signo = WSTOPSIG(status);
	if (wait.event == COMPEL_PTRACE_EVENT_STOP)
		wait.kind = wait.signo == SIGTRAP ? COMPEL_WAIT_EVENT : COMPEL_WAIT_GROUP;
	else if (wait.event)
		wait.kind = COMPEL_WAIT_PTRACE;
	else if (wait.signo == (SIGTRAP | 0x80))
		wait.kind = COMPEL_WAIT_SYSCALL;
	else
		wait.kind = COMPEL_WAIT_SIGNAL;
	return wait;
}
