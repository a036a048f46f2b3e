// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interval timers and POSIX timers.
 */
#include <linux/prctl.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <linux/time_types.h>

#include "blob.h"

#ifndef PR_TIMER_CREATE_RESTORE_IDS
#define PR_TIMER_CREATE_RESTORE_IDS 77
#endif
#define NSEC_PER_SEC 1000000000ULL
#define USEC_PER_SEC 1000000ULL

/* struct itimerval as setitimer(2) takes it: longs everywhere. */
struct kernel_itimerval {
	long interval_sec, interval_usec, value_sec, value_usec;
};

static void set_time(struct __kernel_timespec *time, __u64 ns)
{
	time->tv_sec = (__s64)(ns / NSEC_PER_SEC);
	time->tv_nsec = (__s64)(ns % NSEC_PER_SEC);
}

/*
 * Ids are given in ascending order, so before Linux 6.15 (ec2d0c04624b, posix-timers: Provide a
 * mechanism to allocate a given timer ID) the way to an id is to make and delete those before it.
 */
static long create_by_counting(long clock, struct sigevent *event, __s32 wanted)
{
	for (;;) {
		__s32 id = -1;
		long ret = sys(__NR_timer_create, clock, event, &id, 0, 0);

		if (ret || id == wanted)
			return ret;
		sys(__NR_timer_delete, id, 0, 0, 0, 0);
		if (id > wanted)
			return -BLOB_EAGAIN;
	}
}

static long create(const struct restorer_timer *timer)
{
	struct sigevent event;
	__s32 id = (__s32)timer->id;

	for (unsigned int i = 0; i < sizeof(event); i++)
		((volatile char *)&event)[i] = 0;
	event.sigev_notify = timer->notify;
	event.sigev_signo = timer->signo;
	event.sigev_value.sival_ptr = ptr(timer->sigval);
	event._sigev_un._tid = timer->tid;

	if (sys_prctl(PR_TIMER_CREATE_RESTORE_IDS, 1, 0, 0, 0))
		return create_by_counting(timer->clock, &event, id);
	long ret = sys(__NR_timer_create, timer->clock, &event, &id, 0, 0);

	sys_prctl(PR_TIMER_CREATE_RESTORE_IDS, 0, 0, 0, 0);
	return ret;
}

/*
 * The count of overruns is made when a signal of the timer is taken, so a timer that had overrun is
 * started as many periods ago. With @take its signal is taken at once. True if it is now as it was.
 */
static int start_in_the_past(const struct restorer_timer *timer, int take)
{
	struct __kernel_itimerspec spec;
	struct __kernel_timespec now, patience = { .tv_nsec = 10000000 };
	__u64 mask = 1ULL << (timer->signo - 1), past, start;

	if (sys(SYS_CLOCK_GETTIME, timer->clock, &now, 0, 0, 0) ||
	    __builtin_mul_overflow(timer->interval_ns, timer->overrun + 1ULL, &past))
		return 0;
	start = (__u64)now.tv_sec * NSEC_PER_SEC + (__u64)now.tv_nsec + timer->value_ns;
	if (start <= past)
		return 0;
	set_time(&spec.it_value, start - past);
	set_time(&spec.it_interval, timer->interval_ns);
	if (sys(SYS_TIMER_SETTIME, timer->id, TIMER_ABSTIME, &spec, 0, 0))
		return 0;
	return !take || sys(SYS_SIGTIMEDWAIT, &mask, 0, &patience, 8, 0) == timer->signo;
}

long op_timer_create(const struct ctx *ctx, const struct restorer_op *op)
{
	return create(at(ctx, op->arg[0]));
}

long op_timer_arm(const struct ctx *ctx, const struct restorer_op *op)
{
	const struct restorer_timer *timer = at(ctx, op->arg[0]);
	struct __kernel_itimerspec spec;

	if (op->arg[1] != RTIMER_FROM_NOW && start_in_the_past(timer, op->arg[1] == RTIMER_OVERRUN))
		return 0;
	set_time(&spec.it_value, timer->value_ns);
	set_time(&spec.it_interval, timer->interval_ns);
	return sys(SYS_TIMER_SETTIME, timer->id, 0, &spec, 0, 0);
}

long op_itimer(const struct ctx *ctx, const struct restorer_op *op)
{
	const struct restorer_itimer *timer = at(ctx, op->arg[1]);
	struct kernel_itimerval kernel = {
		.interval_sec = (long)(timer->interval_us / USEC_PER_SEC),
		.interval_usec = (long)(timer->interval_us % USEC_PER_SEC),
		.value_sec = (long)(timer->value_us / USEC_PER_SEC),
		.value_usec = (long)(timer->value_us % USEC_PER_SEC),
	};

	return sys(__NR_setitimer, op->arg[0], &kernel, 0, 0, 0);
}
