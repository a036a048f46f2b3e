// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers become records: what getitimer(2), timer_gettime(2) and timer_getoverrun(2) would have
 * answered in the process.
 */
#include <signal.h>
#include <time.h>

#include "collect/bpf/engine.h"

enum { NSEC_PER_USEC = 1000 };

static struct rec_hdr header(const struct bpf_run *run, const struct raw_head *head,
			     enum rec_type type, uint64_t valid)
{
	__u32 pid = (__u32)bpf_target(run, head)->pid;

	return (struct rec_hdr){ .type = type, .pid = pid, .tid = pid, .valid = valid };
}

/* The time to @expires, at least @least for what has not gone off although its time is over. */
static uint64_t remaining(uint64_t expires, uint64_t now, uint64_t least)
{
	return (int64_t)(expires - now) > (int64_t)least ? expires - now : least;
}

int bpf_take_itimers(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_itimers *raw = (const void *)head;

	if (len != sizeof(*raw))
		return bpf_malformed(run, "interval timers of a wrong length");
	struct rec_itimers rec = { .hdr = header(run, head, REC_ITIMERS, 0) };
	/* in the order of the kernel's CPUCLOCK_PROF, CPUCLOCK_VIRT */
	const uint64_t now[2] = { raw->group.utime + raw->group.stime, raw->group.utime };
	const int which[2] = { 2, 1 }; /* ITIMER_PROF, ITIMER_VIRTUAL */

	if (raw->real_active)
		rec.timer[0].value_us =
			remaining(raw->real_expires, raw->now.monotonic, NSEC_PER_USEC) /
			NSEC_PER_USEC;
	rec.timer[0].interval_us = raw->real_interval / NSEC_PER_USEC;
	for (int i = 0; i < 2; i++) {
		if (raw->cpu[i].expires)
			rec.timer[which[i]].value_us =
				remaining(raw->cpu[i].expires, now[i], NSEC_PER_USEC) /
				NSEC_PER_USEC;
		rec.timer[which[i]].interval_us = raw->cpu[i].incr / NSEC_PER_USEC;
	}
	bpf_put(run, &rec.hdr, sizeof(rec), NULL, 0);
	return 0;
}

/* ---- POSIX timers ---- */

/* CLOCK_*_CPUTIME_ID and the clocks of other processes; include/linux/posix-timers.h */
static bool is_cpu_clock(int clock)
{
	return clock < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID;
}

static uint64_t cpu_now(const struct raw_ptimer *raw)
{
	int clock = raw->timer.clock;
	bool of_thread = clock < 0 ? clock & 4 : clock == CLOCK_THREAD_CPUTIME_ID;
	const struct raw_cpu_time *time = of_thread ? &raw->thread : &raw->group;

	switch (clock < 0 ? clock & 3 : 2) {
	case 0: return time->utime + time->stime; /* CPUCLOCK_PROF */
	case 1: return time->utime;               /* CPUCLOCK_VIRT */
	default: return time->sum_exec;           /* CPUCLOCK_SCHED */
	}
}

uint64_t bpf_clock_now(int clock, const struct raw_now *now)
{
	struct timespec ts = { 0 };

	switch (clock) {
	case CLOCK_MONOTONIC: return now->monotonic;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM: return now->boottime;
	case CLOCK_TAI: clock_gettime(CLOCK_TAI, &ts); break;
	default: clock_gettime(CLOCK_REALTIME, &ts); break;
	}
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* kernel/time/posix-timers.c: common_timer_get() and its like for cpu time */
static uint64_t timer_value(const struct raw_ptimer *raw)
{
	bool none = raw->timer.notify == SIGEV_NONE, cpu = is_cpu_clock(raw->timer.clock);
	uint64_t interval = raw->timer.interval_ns, expires = raw->expires;

	if (!expires || (!interval && raw->status == RAW_TIMER_DISARMED && !none && !cpu))
		return 0;
	uint64_t now = cpu ? cpu_now(raw) : bpf_clock_now(raw->base_clock, &raw->now);
	/* one that waits for its signal to be taken goes on from there when it is */
	if (interval && now >= expires && (raw->status == RAW_TIMER_PENDING || none))
		expires += ((now - expires) / interval + 1) * interval;
	return remaining(expires, now, none ? 0 : 1);
}

/*
 * Of one whose signal is pending: what the signal will tell when it is taken, as posixtimer_rearm()
 * counts it.
 */
static uint32_t timer_overrun(const struct raw_ptimer *raw)
{
	uint64_t interval = raw->timer.interval_ns;

	if (raw->status != RAW_TIMER_PENDING || !interval || is_cpu_clock(raw->timer.clock))
		return raw->timer.overrun;
	uint64_t now = bpf_clock_now(raw->base_clock, &raw->now);
	if (!raw->expires || now < raw->expires)
		return raw->timer.overrun;
	int64_t count = raw->missed + (int64_t)((now - raw->expires) / interval) + 1;
	return count < 0 ? 0 : count > INT32_MAX ? INT32_MAX : (uint32_t)count;
}

int bpf_take_ptimer(struct bpf_run *run, const struct raw_head *head, size_t len)
{
	const struct raw_ptimer *raw = (const void *)head;
	struct rec_ptimer rec;

	if (len != sizeof(*raw))
		return bpf_malformed(run, "POSIX timer of a wrong length");
	rec = raw->timer;
	rec.hdr = header(run, head, REC_PTIMER, RV_PTIMER_VALUE);
	rec.value_ns = timer_value(raw);
	rec.overrun = timer_overrun(raw);
	if (!(rec.notify & SIGEV_THREAD_ID))
		rec.notify_tid = 0;
	bpf_put(run, &rec.hdr, sizeof(rec), NULL, 0);
	return 0;
}
