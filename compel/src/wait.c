/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * Waiting for a traced thread with a time limit.
 *
 * waitpid(2) has no time limit, and no descriptor becomes ready when a tracee stops, so this polls:
 * first hard, yielding the processor to the tracee, because a stop mostly is microseconds away and
 * waking a sleeping waiter costs more than the stop itself; then with growing sleeps.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "internal.h"

#define SPIN_NS        200000
#define SLEEP_MIN_NS   20000
#define SLEEP_MAX_NS   1000000
#define DEAD_LOOK_NS   10000000 /* how often a silent thread is looked at in /proc */
#define NS_PER_SEC     1000000000LL
#define NS_PER_MS      1000000LL
#define POLLS_PER_LOOK 16 /* polls between two looks at the clock */

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

/* 1: changed, 0: not yet, or -errno. */
static int poll_status(pid_t tid, int *ret_status)
{
	int status;
	pid_t got = waitpid(tid, &status, __WALL | WNOHANG);

	if (got < 0)
		return errno == ECHILD ? -ESRCH : -errno;
	if (got == 0)
		return 0;
	*ret_status = status;
	return 1;
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

static void sleep_ns(int64_t ns)
{
	struct timespec ts = { .tv_nsec = (long)ns };

	nanosleep(&ts, NULL);
}

int compel_wait_status(pid_t tid, int64_t deadline, int *ret_status)
{
	int64_t start = 0, looked = 0, sleep = SLEEP_MIN_NS;

	for (unsigned int polls = 0;; polls++) {
		int ret = poll_status(tid, ret_status);

		if (ret != 0)
			return ret < 0 ? ret : 0;
		if (polls == 0 || (sleep == SLEEP_MIN_NS && polls % POLLS_PER_LOOK)) {
			sched_yield();
			continue;
		}
		int64_t now = now_ns();
		if (start == 0)
			start = looked = now;
		if (deadline != COMPEL_NO_DEADLINE && now >= deadline * NS_PER_MS)
			return -ETIMEDOUT;
		if (now - start < SPIN_NS) {
			sched_yield();
			continue;
		}
		if (now - looked > DEAD_LOOK_NS) {
			looked = now;
			if (is_dead(tid)) {
				/* It may have become reapable between the two looks. */
				ret = poll_status(tid, ret_status);
				if (ret == 0)
					*ret_status = -1;
				return ret < 0 ? ret : 0;
			}
		}
		sleep_ns(sleep);
		sleep = sleep * 2 < SLEEP_MAX_NS ? sleep * 2 : SLEEP_MAX_NS;
	}
}

struct compel_wait compel_wait_decode(int status)
{
	struct compel_wait wait = { .kind = COMPEL_WAIT_DEAD };

	/* -1 has the bits of no status that the kernel makes for a stop. */
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
