/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /proc/PID/stat of a process or thread, taken apart. Fields as in proc(5).
 */
#ifndef CRIB_TARGET_PROCSTAT_H
#define CRIB_TARGET_PROCSTAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define PROCSTAT_KTHREAD 0x00200000u /* of flags: PF_KTHREAD, include/linux/sched.h */

struct procstat {
	char comm[16]; /* ended and filled by NULs */
	char state;
	int32_t pid, ppid, pgid, sid; /* pid namespace of the mounted /proc, 0: not in it */
	uint32_t tty;                 /* st_rdev of the controlling terminal, 0: none */
	int32_t tty_pgrp;             /* -1: none */
	uint32_t flags;               /* PF_* */
	int32_t nice;
	uint32_t nr_threads;
	uint64_t start_ticks; /* since boot, in 1/sysconf(_SC_CLK_TCK) s */
	int32_t exit_signal;
	uint32_t exit_code; /* as wait(2) gives it */
	/* Zero where ptrace is not permitted, or without an address space. */
	uint64_t start_code, end_code, start_data, end_data, start_stack, start_brk;
	uint64_t arg_start, arg_end, env_start, env_end;
};

/* 0, or -EBADMSG with a description of what is wrong with the text. */
int procstat_parse(const char *text, struct procstat *ret_stat, struct err *err);

/* Reads it of thread @tid in process @pid. -ESRCH: not there. */
int procstat_read(pid_t pid, pid_t tid, struct procstat *ret_stat, struct err *err);

static inline bool procstat_dead(const struct procstat *stat)
{
	return stat->state == 'Z' || stat->state == 'X';
}

#endif /* CRIB_TARGET_PROCSTAT_H */
