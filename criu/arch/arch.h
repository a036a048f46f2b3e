/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that an architecture has to give crib, in criu/arch/ARCH/. See
 * Documentation/HOWTO-add-an-architecture for the whole list with the blobs and compel.
 */
#ifndef CRIB_ARCH_ARCH_H
#define CRIB_ARCH_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#include <compel/compel.h>

#include "base/err.h"
#include "model/snapshot.h"

/* core_entry.mtype of this machine. */
extern const CoreEntry__March arch_march;

/*
 * Dump: fills core->mtype and this architecture's thread_info from registers. A system call that
 * the kernel would restart is saved as if it had not begun. 0; -ENOTSUP: state that the image
 * cannot hold.
 */
int arch_save_regs(struct snapshot *snap, CoreEntry *core, const struct compel_regs *regs,
		   const struct compel_fpu *fpu, uint64_t clear_tid_addr, struct err *err);

/*
 * Restore: the other way. @regs and @fpu hold what a parked thread of crib has, which gives sizes
 * and what the image does not know. 0; -EBADMSG; -ENOTSUP: state that this processor does not have.
 */
int arch_load_regs(const CoreEntry *core, struct compel_regs *regs, struct compel_fpu *fpu,
		   struct err *err);

/*
 * Sleeps: nanosleep, clock_nanosleep, poll and futex with a relative time-out are continued by the
 * kernel with what is left of it (restart_syscall(2)), which only the kernel that interrupted them
 * can do. A restored one begins anew, with the rest as its time-out.
 *
 * Dump, before arch_save_regs(): true if @regs stand in such a call. *@ret_rest_addr: where in the
 * task's memory the kernel has put the rest as a struct timespec, 0: nowhere.
 */
bool arch_sleep_is_interrupted(const struct compel_regs *regs, uint64_t *ret_rest_addr);

/*
 * Dump, of a call in which arch_sleep_is_interrupted(): its relative time-out in nanoseconds, 0 for
 * none; or, when that stands in the task's memory, *@ret_addr is where, as a struct timespec.
 */
uint64_t arch_sleep_timeout(const struct compel_regs *regs, uint64_t *ret_addr);

/*
 * Restore, after arch_load_regs(): makes @rest_ns the time-out. Returns an address on the stack,
 * out of the way of everything that lives there, at which the caller has to write that time as two
 * 64-bit words, seconds and nanoseconds, before the thread runs; or 0: nothing to write.
 */
uint64_t arch_sleep_continue(struct compel_regs *regs, uint64_t rest_ns);

/* The clear_child_tid that the image holds; 0: none. */
uint64_t arch_clear_tid_addr(const CoreEntry *core);

#endif /* CRIB_ARCH_ARCH_H */
