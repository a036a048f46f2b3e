/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System calls of the restorer blob. Every one returns its result or a negative errno.
 */
#ifndef CRIB_RESTORER_SYS_H
#define CRIB_RESTORER_SYS_H

#include <linux/types.h>

#include "sys_arch.h"

#define SYS_ARG(x) ((unsigned long)(x))
#define sys(nr, a, b, c, d, e)                                                                     \
	sys6(nr, SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e), 0)
#define sys_prctl(option, a, b, c, d) sys(__NR_prctl, option, a, b, c, d)

/* 32-bit machines: offsets go in pages or in two registers, and time has its own calls. */
#if __SIZEOF_LONG__ == 8
static inline long sys_mmap(__u64 addr, __u64 len, __u64 prot, __u64 flags, long fd, __u64 off)
{
	return sys6(__NR_mmap, addr, len, prot, flags, (unsigned long)fd, off);
}

static inline long sys_preadv(long fd, const void *iov, unsigned long n, __u64 off)
{
	return sys6(__NR_preadv, (unsigned long)fd, SYS_ARG(iov), n, off, 0, 0);
}

#define SYS_TIMER_SETTIME __NR_timer_settime
#define SYS_SIGTIMEDWAIT  __NR_rt_sigtimedwait
#define SYS_CLOCK_GETTIME __NR_clock_gettime
#define SYS_FCNTL         __NR_fcntl
#else
static inline long sys_mmap(__u64 addr, __u64 len, __u64 prot, __u64 flags, long fd, __u64 off)
{
	return sys6(__NR_mmap2, (unsigned long)addr, (unsigned long)len, (unsigned long)prot,
		    (unsigned long)flags, (unsigned long)fd, (unsigned long)(off >> 12));
}

static inline long sys_preadv(long fd, const void *iov, unsigned long n, __u64 off)
{
	return sys6(__NR_preadv, (unsigned long)fd, SYS_ARG(iov), n, (unsigned long)off,
		    (unsigned long)(off >> 32), 0);
}

#define SYS_TIMER_SETTIME __NR_timer_settime64
#define SYS_SIGTIMEDWAIT  __NR_rt_sigtimedwait_time64
#define SYS_CLOCK_GETTIME __NR_clock_gettime64
#define SYS_FCNTL         __NR_fcntl64
#endif

#endif /* CRIB_RESTORER_SYS_H */
