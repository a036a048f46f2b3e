// SPDX-License-Identifier: GPL-2.0-only
/*
 * Words for numbers, see describe.h. O_* come from the kernel's header: libc's O_LARGEFILE is 0.
 */
#include <asm/fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <time.h>

#include "cli/describe.h"

struct name {
	uint32_t value;
	const char *name;
};

static const struct name open_flags[] = {
	{ O_CREAT, "O_CREAT" },       { O_EXCL, "O_EXCL" },       { O_NOCTTY, "O_NOCTTY" },
	{ O_TRUNC, "O_TRUNC" },       { O_APPEND, "O_APPEND" },   { O_NONBLOCK, "O_NONBLOCK" },
	{ O_SYNC, "O_SYNC" },         { O_DSYNC, "O_DSYNC" },     { FASYNC, "O_ASYNC" },
	{ O_DIRECT, "O_DIRECT" },     { O_TMPFILE, "O_TMPFILE" }, { O_DIRECTORY, "O_DIRECTORY" },
	{ O_NOFOLLOW, "O_NOFOLLOW" }, { O_NOATIME, "O_NOATIME" }, { O_PATH, "O_PATH" },
};

void describe_open_flags(struct strbuf *buf, uint32_t flags)
{
	static const char *const access_modes[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };

	strbuf_puts(buf, flags & O_PATH ? "O_PATH" : access_modes[flags & O_ACCMODE]);
	flags &= ~(uint32_t)(O_ACCMODE | O_LARGEFILE | O_CLOEXEC | O_PATH);
	for (size_t i = 0; i < ARRAY_SIZE(open_flags); i++) {
		if ((flags & open_flags[i].value) != open_flags[i].value)
			continue;
		strbuf_printf(buf, "|%s", open_flags[i].name);
		flags &= ~open_flags[i].value;
	}
	if (flags)
		strbuf_printf(buf, "|0%o", flags);
}

void describe_signal(struct strbuf *buf, unsigned int signo)
{
	static const char *const names[] = {
		NULL,     "HUP",  "INT",    "QUIT", "ILL",   "TRAP", "ABRT", "BUS",
		"FPE",    "KILL", "USR1",   "SEGV", "USR2",  "PIPE", "ALRM", "TERM",
		"STKFLT", "CHLD", "CONT",   "STOP", "TSTP",  "TTIN", "TTOU", "URG",
		"XCPU",   "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS",
	};

	if (signo && signo < ARRAY_SIZE(names))
		strbuf_printf(buf, "SIG%s", names[signo]);
	else
		strbuf_printf(buf, "SIG%u", signo);
}

void describe_sigset(struct strbuf *buf, uint64_t mask)
{
	const char *gap = "";

	for (unsigned int signo = 1; signo <= 64; signo++) {
		if (!(mask >> (signo - 1) & 1))
			continue;
		strbuf_puts(buf, gap);
		describe_signal(buf, signo);
		gap = " ";
	}
}

static const char *find_name(const char *const *names, size_t n, size_t i)
{
	return i < n ? names[i] : NULL;
}

const char *describe_clock(uint32_t clock)
{
	static const char *const names[] = {
		[CLOCK_REALTIME] = "CLOCK_REALTIME",
		[CLOCK_MONOTONIC] = "CLOCK_MONOTONIC",
		[CLOCK_PROCESS_CPUTIME_ID] = "CLOCK_PROCESS_CPUTIME_ID",
		[CLOCK_THREAD_CPUTIME_ID] = "CLOCK_THREAD_CPUTIME_ID",
		[CLOCK_BOOTTIME] = "CLOCK_BOOTTIME",
		[CLOCK_REALTIME_ALARM] = "CLOCK_REALTIME_ALARM",
		[CLOCK_BOOTTIME_ALARM] = "CLOCK_BOOTTIME_ALARM",
		[CLOCK_TAI] = "CLOCK_TAI",
	};

	return find_name(names, ARRAY_SIZE(names), clock);
}

const char *describe_policy(uint32_t policy)
{
	static const char *const names[] = {
		[SCHED_NORMAL] = "other", [SCHED_FIFO] = "fifo", [SCHED_RR] = "rr",
		[SCHED_BATCH] = "batch",  [SCHED_IDLE] = "idle", [SCHED_DEADLINE] = "deadline",
	};

	return find_name(names, ARRAY_SIZE(names), policy & ~(uint32_t)SCHED_RESET_ON_FORK);
}

const char *describe_limit(size_t resource)
{
	static const char *const names[] = {
		"cpu",     "fsize", "data",  "stack",      "core",     "rss",  "nproc",  "nofile",
		"memlock", "as",    "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
	};

	return find_name(names, ARRAY_SIZE(names), resource);
}

const char *describe_state(enum task_state state)
{
	switch (state) {
	case TASK_STATE_ALIVE: return "alive";
	case TASK_STATE_DEAD: return "zombie";
	case TASK_STATE_STOPPED: return "stopped";
	default: return "unknown";
	}
}
