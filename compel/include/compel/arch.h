/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * All that compel must know of an architecture. arch/NAME/ holds compel_regs.h with struct
 * compel_regs, and one .c file that defines compel_arch; both are found by path.
 */
#ifndef CRIB_COMPEL_ARCH_H
#define CRIB_COMPEL_ARCH_H

#include <compel/compel.h>

/* One form of the system call instruction. */
struct compel_insn {
	uint8_t bytes[4];
	uint8_t size;
	uint8_t align; /* instructions of this kind start at multiples of it */
	uint8_t tag;   /* is set in bits that @align leaves free: 1 for Thumb, else 0 */
};

/* A piece of code, by its bytes. */
struct compel_pattern {
	uint8_t bytes[12];
	uint8_t size;
};

struct compel_arch {
	const char *name;

	/* Forms of the instruction, the preferred one first. */
	const struct compel_insn *insns;
	size_t nr_insns;

	/* Bytes below the stack pointer that belong to the running function. */
	uint32_t red_zone;

	/* Register sets with floating point state, best first, ended by 0. */
	const uint32_t *fpu_notes;

	/* mmap with six register arguments and offset 0, and a call that changes nothing. */
	long nr_mmap;
	long nr_getpid;

	/*
	 * How the kernel decides that an interrupted system call is restarted when no signal
	 * handler runs. false: after the stop, from the registers, so that putting these back
	 * before an event-stop ends is enough (x86). true: before the stop, which then shows the
	 * program counter at the instruction again and hides whether restart_syscall will take
	 * the call's place (arm, arm64). Then the restarted call is entered, noted, replaced by
	 * getpid, and entered anew at the end; that needs the next four functions.
	 */
	bool restart_hidden;

	/* Replaces the number of the call in a thread that stands at a system call entry. */
	int (*set_entry_nr)(pid_t tid, long nr);

	/* Puts @nr into the register that carries it. */
	void (*set_nr)(struct compel_regs *regs, long nr);

	/*
	 * Where the kernel restarts a call under another number without showing it in that
	 * register (arm; else NULL): copies the register alone, to put it back at the entry.
	 */
	void (*copy_nr)(struct compel_regs *to, const struct compel_regs *from);

	/*
	 * Turns the registers behind a call into those before it: the program counter back on the
	 * instruction, and what the call overwrote from @entry, the registers at its entry.
	 */
	void (*rewind)(struct compel_regs *regs, const struct compel_regs *entry);

	uint64_t (*pc)(const struct compel_regs *regs); /* with the tag */
	void (*set_pc)(struct compel_regs *regs, uint64_t pc);
	uint64_t (*sp)(const struct compel_regs *regs);

	/*
	 * Makes @regs run the system call at instruction @insn (address and tag) and nothing
	 * else: modes that would trap there are cleared, and the kernel must not take the
	 * registers for those of an interrupted call.
	 */
	void (*set_call)(struct compel_regs *regs, uint64_t insn, long nr, const uint64_t args[6]);

	/*
	 * Position independent code for compel_row_many(), that finds in its first arguments a
	 * table and the number of its rows, struct compel_row_entry of src/row.c, and a signal. It
	 * makes the calls, sets the word behind the last row to 1, sends the signal to its own
	 * thread, and then returns. It does not touch the stack. NULL: there is none for this
	 * architecture. In it, row_leave is where a return leads by way of write_leave().
	 */
	const uint8_t *row_code, *row_leave, *row_code_end;

	/*
	 * The way home, see compel.h. What a system call instruction with a return behind it looks
	 * like, and what the code to which signal handlers return. None: there is no way home.
	 */
	const struct compel_pattern *call_return;
	const struct compel_pattern *sigreturns;
	size_t nr_sigreturns;

	/* Whether the thread may return to where it was not called from. */
	bool (*may_return)(pid_t tid);

	/*
	 * Turns the registers inside of an interrupted system call into those with which it is
	 * made again: as restart_syscall where it needs that and @block says that what it left
	 * in the kernel is still there.
	 */
	void (*restart)(struct compel_regs *regs, bool block);

	void (*set_sp)(struct compel_regs *regs, uint64_t sp);

	/*
	 * A signal frame: frame_size bytes for @regs, @mask and the floating point state at address
	 * @fpu. A return with the stack pointer at the frame leads to @sigreturn, and that takes
	 * all from there. write_fpu() writes such a state, which has fpu_size() bytes at a multiple
	 * of 64; 0: it cannot be written.
	 */
	size_t frame_size;
	void (*write_frame)(void *frame, const struct compel_regs *regs, uint64_t mask,
			    uint64_t sigreturn, uint64_t fpu);
	size_t (*fpu_size)(const struct compel_fpu *fpu);
	void (*write_fpu)(void *state, const struct compel_fpu *fpu);

	/*
	 * What a thread that leaves by row_leave finds on its stack: leave_size bytes that end
	 * where the red zone begins. A return with the stack pointer at it leads to @leave.
	 */
	size_t leave_size;
	void (*write_leave)(void *block, const struct compel_regs *regs, uint64_t mask,
			    uint64_t leave);

	/* What the call returned, sign extended. */
	int64_t (*result)(const struct compel_regs *regs);

	/* The thread pointer; -errno. */
	int (*tls_get)(pid_t tid, uint64_t *ret_tls);
	int (*tls_set)(pid_t tid, uint64_t tls);
};

extern const struct compel_arch compel_arch;

#endif /* CRIB_COMPEL_ARCH_H */
