// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scheduler's clock as /proc/PID/task/TID/sched shows it, see schedclock.h.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <crib/compiler.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "target/schedclock.h"

/*
 * When the scheduler last had the thread, in nanoseconds of its clock. 0: not known, as without
 * CONFIG_SCHED_DEBUG before Linux 6.16.
 */
static int64_t last_ran(pid_t pid, pid_t tid)
{
	enum { HEAD = 256 }; /* it stands in the first lines */
	char path[64], text[HEAD];
	uint64_t ms, fraction;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/sched", pid, tid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	const char *pos = strstr(text, "se.exec_start");
	if (!pos || !(pos = strchr(pos, ':')))
		return 0;
	pos++;
	scan_blanks(&pos);
	if (!scan_u64(&pos, &ms) || !scan_str(&pos, ".") || !scan_u64(&pos, &fraction))
		return 0;
	return (int64_t)(ms * 1000000 + fraction); /* milliseconds, six digits behind the point */
}

static int64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

void schedclock_init(struct schedclock *clock)
{
	*clock = (struct schedclock){ .enabled = true };
}

/* The processor that the thread ran on last: the 37th field behind the name, see proc(5). */
static int last_cpu(pid_t pid, pid_t tid)
{
	enum { FIELDS_BETWEEN = 36 };
	char path[64], text[1024];
	uint64_t cpu;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	const char *pos = strrchr(text, ')');
	for (int i = 0; pos && i <= FIELDS_BETWEEN; i++)
		pos = strchr(pos + 1, ' ');
	if (!pos)
		return -1;
	pos++;
	return scan_u64(&pos, &cpu) && cpu < SCHEDCLOCK_CPUS ? (int)cpu : -1;
}

/*
 * A processor's clock leaves out the time that it spent in interrupts or that a hypervisor took, so
 * each has a zero of its own. crib goes there for a moment to look at both clocks.
 */
static int64_t offset_of(struct schedclock *clock, int cpu)
{
	cpu_set_t mine, there;

	if (clock->offset[cpu] || sched_getaffinity(0, sizeof(mine), &mine))
		return clock->offset[cpu];
	CPU_ZERO(&there);
	CPU_SET(cpu, &there);
	if (sched_setaffinity(0, sizeof(there), &there))
		return 0;
	sched_yield();
	int64_t ran = last_ran(getpid(), (pid_t)syscall(SYS_gettid));
	clock->offset[cpu] = ran ? monotonic_ns() - ran : 0;
	sched_setaffinity(0, sizeof(mine), &mine);
	return clock->offset[cpu];
}

/* A system call that may wait with a relative time-out, by its number and arguments. */
static bool may_time_out(uint64_t nr, const uint64_t args[6])
{
	switch (nr) {
#ifdef SYS_poll
	case SYS_poll: return (int32_t)args[2] > 0;
#endif
#ifdef SYS_nanosleep
	case SYS_nanosleep:
#endif
#ifdef SYS_clock_nanosleep
	case SYS_clock_nanosleep:
#endif
#ifdef SYS_clock_nanosleep_time64
	case SYS_clock_nanosleep_time64:
#endif
		return true;
#ifdef SYS_futex
	case SYS_futex:
#endif
#ifdef SYS_futex_time64
	case SYS_futex_time64:
#endif
		return args[3] != 0;
	default: return false;
	}
}

/* Most threads wait for something without a time-out, or run: one small file tells. */
static bool may_sleep(pid_t pid, pid_t tid)
{
	uint64_t nr, args[6];
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len <= 0)
		return true; /* forbidden, or CONFIG_HAVE_ARCH_TRACEHOOK is missing */
	text[len] = '\0';
	const char *pos = text;
	if (!scan_u64(&pos, &nr))
		return false; /* "running", or -1: in no call */
	for (size_t i = 0; i < ARRAY_SIZE(args); i++)
		if (!scan_str(&pos, " 0x") || !scan_hex(&pos, &args[i]))
			return true;
	return may_time_out(nr, args);
}

int64_t schedclock_asleep(struct schedclock *clock, pid_t pid, pid_t tid)
{
	if (!clock->enabled || !may_sleep(pid, tid))
		return -1;
	/* read first: crib may lose the processor any time, and must not find too much */
	int64_t now = monotonic_ns();
	int cpu = last_cpu(pid, tid);
	int64_t ran = cpu >= 0 ? last_ran(pid, tid) : 0;
	int64_t offset = ran ? offset_of(clock, cpu) : 0;

	return offset && now - offset > ran ? now - offset - ran : offset ? 0 : -1;
}
