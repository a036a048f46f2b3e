// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sleeps with a relative time-out, see arch.h. At dump the thread stands behind the system call
 * instruction, at restore in front of it.
 */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "arch/arch.h"

enum { ERESTART_RESTARTBLOCK = 516, RED_ZONE = 128, TIMESPEC_SIZE = 16 };
enum { NSEC_PER_MSEC = 1000000 };

bool arch_sleep_is_interrupted(const struct compel_regs *regs, uint64_t *ret_rest_addr)
{
	const struct user_regs_struct *native = &regs->native;

	if ((int64_t)native->orig_rax < 0 || (int64_t)native->rax != -ERESTART_RESTARTBLOCK)
		return false;
	*ret_rest_addr = native->orig_rax == SYS_nanosleep       ? native->rsi :
			 native->orig_rax == SYS_clock_nanosleep ? native->r10 :
								   0;
	return true;
}

uint64_t arch_sleep_timeout(const struct compel_regs *regs, uint64_t *ret_addr)
{
	const struct user_regs_struct *native = &regs->native;

	*ret_addr = 0;
	switch (native->orig_rax) {
	case SYS_poll:
		return (int32_t)native->rdx > 0 ? (uint32_t)native->rdx * (uint64_t)NSEC_PER_MSEC :
						  0;
	case SYS_nanosleep: *ret_addr = native->rdi; break;
	case SYS_clock_nanosleep: *ret_addr = native->rsi & TIMER_ABSTIME ? 0 : native->rdx; break;
	case SYS_futex:
		if ((native->rsi & FUTEX_CMD_MASK) == FUTEX_WAIT)
			*ret_addr = native->r10;
		break;
	}
	return 0;
}

/* Below the red zone, where a signal frame would come to lie. */
static uint64_t free_stack(const struct user_regs_struct *native)
{
	return (native->rsp - RED_ZONE - TIMESPEC_SIZE) & ~15ULL;
}

uint64_t arch_sleep_continue(struct compel_regs *regs, uint64_t rest_ns)
{
	struct user_regs_struct *native = &regs->native;
	uint64_t addr = free_stack(native);

	switch (native->rax) {
	case SYS_poll: native->rdx = (rest_ns + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC; return 0;
	case SYS_nanosleep: native->rdi = addr; return addr;
	case SYS_clock_nanosleep: native->rdx = addr; return addr;
	case SYS_futex:
		if ((native->rsi & FUTEX_CMD_MASK) != FUTEX_WAIT)
			return 0;
		native->r10 = addr;
		return addr;
	}
	return 0;
}
